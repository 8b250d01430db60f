import { MAIL_ACCEPTED, MAIL_EVENTS, type Topic } from '@lethe/contracts';
import { KafkaClient } from '@lethe/kafka';
import { Injectable } from '@nestjs/common';
import type { Ends } from '../requests/request.ts';
import { askKafka } from './ask-kafka.ts';
import { behind, type Progress } from './progress.ts';

/** Topics whose records can be about people and are on their way somewhere. Compacted ones and commands hold ids and codes. */
const TOPICS: readonly Topic[] = [MAIL_ACCEPTED, MAIL_EVENTS];

/**
 * The barrier of an erasure: what was written before a moment has been read by everybody who reads it. After the fence nothing
 * about the subjects is written any more; behind the barrier nothing about them is still on its way either.
 */
@Injectable()
export class BarrierService {
  private looking: Promise<Progress> | undefined;

  constructor(private readonly kafka: KafkaClient) {}

  /** Where the topics end now. */
  async ends(): Promise<Ends> {
    const ends = await Promise.all(
      TOPICS.map(async (topic) => {
        const offsets = await this.offsetsOf(topic);
        return [topic.name, Object.fromEntries(offsets.map(({ partition, high }) => [partition, Number(high)]))];
      }),
    );
    return Object.fromEntries(ends) as Ends;
  }

  /** Services whose groups have not passed these ends yet. Concurrent callers share a look. */
  async behind(ends: Ends): Promise<string[]> {
    this.looking ??= this.look().finally(() => (this.looking = undefined));
    return behind(ends, await this.looking);
  }

  private async look(): Promise<Progress> {
    const byTopic = await Promise.all(
      TOPICS.map(async (topic) => {
        const lows = (await this.offsetsOf(topic)).map(({ partition, low }) => [partition, Number(low)] as const);
        const groups = await Promise.all(
          topic.consumers.map(async (service) => [service, await this.committed(service, topic)] as const),
        );
        return [topic.name, { lows: new Map(lows), groups: new Map(groups) }] as const;
      }),
    );
    return new Map(byTopic);
  }

  private async committed(service: string, topic: Topic): Promise<ReadonlyMap<number, number>> {
    const name = this.kafka.topicName(topic);
    // The name libs/kafka gives a group whose handler names none.
    const groupId = this.kafka.topicName(`${service}-${topic.name}`);
    const answer = await askKafka(this.kafka, (admin) => admin.fetchOffsets({ groupId, topics: [name] }));
    return new Map(
      answer.flatMap(({ partitions }) =>
        partitions.map(({ partition, offset }) => [partition, Number(offset)] as const),
      ),
    );
  }

  private offsetsOf(topic: Topic) {
    const name = this.kafka.topicName(topic);
    return askKafka(this.kafka, (admin) => admin.fetchTopicOffsets(name));
  }
}
