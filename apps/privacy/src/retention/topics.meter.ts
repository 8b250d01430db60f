import { TOPICS, type Topic } from '@lethe/contracts';
import { KafkaClient } from '@lethe/kafka';
import { Clock } from '@lethe/service';
import { Injectable } from '@nestjs/common';
import { askKafka } from '../barrier/ask-kafka.ts';
import { oldestRecord, type OffsetSource } from './oldest-record.ts';
import { SKEW_MS, type StoredReading } from './reading.ts';

const DAY = 86_400_000;

/** Measures the topics that have a time limit, and their dead letters. */
@Injectable()
export class TopicsMeter {
  constructor(
    private readonly kafka: KafkaClient,
    private readonly clock: Clock,
  ) {}

  async measure(): Promise<StoredReading[]> {
    const readings: StoredReading[] = [];
    // One after the other: nothing waits for it, and the broker has other work.
    for (const { name, owner, limitMs } of LIMITED) {
      const oldest = await oldestRecord(
        this.offsetsOf(name),
        this.clock.now() - 2 * limitMs,
        this.clock.now() + SKEW_MS,
      );
      readings.push({
        store: `kafka.${name}`,
        service: owner,
        class: `topic-${limitMs / DAY}d`,
        limitSeconds: limitMs / 1_000,
        oldestAt: oldest === null ? null : new Date(oldest),
      });
    }
    return readings;
  }

  private offsetsOf(topic: string): OffsetSource {
    const name = this.kafka.topicName(topic);
    return {
      bounds: async () => {
        const bounds = await askKafka(this.kafka, (admin) => admin.fetchTopicOffsets(name));
        return bounds.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
      },
      offsetsAt: async (timestamp) => {
        const found = await askKafka(this.kafka, (admin) => admin.fetchTopicOffsetsByTimestamp(name, timestamp));
        return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]));
      },
    };
  }
}

/** Each with who answers for it: its first producer; of dead letters, who could not take the record. */
const LIMITED = (TOPICS as readonly Topic[]).flatMap(({ name, producers, consumers, deadLetter, cleanup }) => {
  if (cleanup.kind !== 'time-limited') return [];
  const { limitMs } = cleanup;
  const topic = { name, owner: producers[0] ?? 'privacy', limitMs };
  return deadLetter === null ? [topic] : [topic, { name: deadLetter, owner: consumers[0] ?? 'privacy', limitMs }];
});
