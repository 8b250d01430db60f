import { setTimeout as wait } from 'node:timers/promises';
import { OverloadedError } from '@lethe/service';

const LOOK_EVERY_MS = 25;

/**
 * For loops that look until something is over: each call waits a moment. @throws OverloadedError naming the queue once `limitMs` are
 * over; who asked asks again.
 */
export function patience(limitMs: number, queue: string): () => Promise<void> {
  const until = performance.now() + limitMs;
  return async () => {
    if (performance.now() > until) throw new OverloadedError(queue);
    await wait(LOOK_EVERY_MS);
  };
}
