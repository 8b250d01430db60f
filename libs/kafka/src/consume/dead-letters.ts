import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaMessage } from 'kafkajs';
import { HEADERS, type Topic } from '@lethe/contracts';
import type { Log } from '@lethe/service';
import type { Publisher } from '../publish/publisher.ts';

const LONGEST_WAIT_MS = 5_000;

/** Reason codes only: what a handler gives is cut to a plain word, so that no text about a person gets there. */
function reasonCode(reason: string, detail?: string): string {
  const code = reason.replaceAll(/[^\w.-]/g, '-').slice(0, 60);
  return detail === undefined ? code : `${code}:${detail}`;
}

/** Records no handler could take: same key, bytes and headers, with the reason and where they came from. */
export class DeadLetters {
  constructor(
    private readonly publisher: Publisher,
    private readonly log: Log,
  ) {}

  /**
   * Resolves when the dead letter is durable; tries without end, because only then may the offset move. Gives up when
   * `signal` is aborted (partition lost: its next holder meets the record again).
   */
  async bury(
    source: { topic: Topic; partition: number; message: KafkaMessage },
    why: { reason: string; detail?: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { topic, partition, message } = source;
    this.log.warn('kafka.record-rejected', { topic: topic.name, reason: reasonCode(why.reason), partition });
    if (topic.deadLetter === null) return;
    const letter = {
      key: message.key,
      value: message.value,
      headers: {
        ...message.headers,
        [HEADERS.reason]: reasonCode(why.reason, why.detail),
        [HEADERS.sourceTopic]: topic.name,
        [HEADERS.sourcePartition]: String(partition),
        [HEADERS.sourceOffset]: message.offset,
      },
    };
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.publisher.sendRaw([{ topic: topic.deadLetter, message: letter }]);
        return;
      } catch (error) {
        this.log.warn('kafka.dead-letter-delayed', { topic: topic.name, error });
        await sleep(Math.min(LONGEST_WAIT_MS, 100 * 2 ** Math.min(attempt, 6)));
      }
    }
  }
}
