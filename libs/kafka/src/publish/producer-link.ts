import type { Producer, TopicMessages } from 'kafkajs';
import type { KafkaClient } from '../client/kafka-client.ts';

/**
 * The idempotent producer, one call at a time. Two at once are not safe with kafkajs: it takes back the sequence numbers of
 * a failed batch, the next one uses them, and a broker that had written the first drops the second as a repetition.
 * For the same reason a producer that reported failure is replaced.
 */
export class ProducerLink {
  private producer: Promise<Producer> | undefined;

  constructor(private readonly client: KafkaClient) {}

  /** Connects if need be; resolves when the broker answers. */
  async connect(): Promise<void> {
    await this.current();
  }

  /** Resolves once every in-sync replica has the records; retries without end while the broker is away. */
  async send(topicMessages: TopicMessages[]): Promise<void> {
    const producer = await this.current();
    try {
      await producer.sendBatch({ acks: -1, timeout: 10_000, topicMessages });
    } catch (error) {
      this.producer = undefined;
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const producer = await this.producer?.catch(() => undefined);
    this.producer = undefined;
    await producer?.disconnect();
  }

  private current(): Promise<Producer> {
    this.producer ??= this.open();
    return this.producer;
  }

  private async open(): Promise<Producer> {
    const producer = this.client.producer();
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.producer = undefined;
      throw error;
    }
  }
}
