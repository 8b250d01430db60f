import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from 'kafkajs';
import type { Log } from '@lethe/service';

const FIRST_MS = 200;
const LONGEST_MS = 15_000;
/** A consumer that ran this long starts its back-off anew. */
const HEALTHY_MS = 60_000;

/** Keeps a consumer running: kafkajs gives up for good on errors it calls final, and says so with `restart: false`. */
export function superviseConsumer(
  consumer: Consumer,
  options: {
    log: Log;
    topic: string;
    stopped: () => boolean;
    run: () => Promise<void>;
    rerun: () => Promise<void>;
  },
): void {
  const { log, topic, stopped, run, rerun } = options;
  let delay = FIRST_MS;
  let startedAt = 0;

  const attempt = async (start: () => Promise<void>): Promise<void> => {
    if (stopped()) return;
    startedAt = performance.now();
    try {
      await start();
    } catch (error) {
      log.error('kafka.consumer-start-failed', { topic, error });
      await backOff(start);
    }
  };
  const backOff = async (start: () => Promise<void>): Promise<void> => {
    if (performance.now() - startedAt > HEALTHY_MS) delay = FIRST_MS;
    await sleep(delay, undefined, { ref: false });
    delay = Math.min(LONGEST_MS, delay * 2);
    await attempt(start);
  };

  consumer.on(consumer.events.CRASH, ({ payload }) => {
    log.error('kafka.consumer-crashed', { topic, restart: payload.restart, error: payload.error });
    if (!payload.restart) void backOff(rerun);
  });
  void attempt(run);
}
