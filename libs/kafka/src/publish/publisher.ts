import type { Message, TopicMessages } from 'kafkajs';
import type { Topic } from '@lethe/contracts';
import { Batcher, OverloadedError, settleWithin } from '@lethe/service';
import type { KafkaClient } from '../client/kafka-client.ts';
import { NotPublishableError, PublishUncertainError } from '../errors.ts';
import { countPublished, observeProduceQueue } from '../metrics.ts';
import { encodeRecords } from '../records/encode.ts';
import type { EncodedRecord, OutgoingRecord } from '../records/record.ts';
import { ProducerLink } from './producer-link.ts';

/** One produce call carries at most this, so that no partition's batch passes the broker's 1 MiB `message.max.bytes`. */
const CALL_BYTES = 512 * 1024;
const CALL_RECORDS = 2_000;
const DISCONNECT_MS = 1_000;
/** Key, headers and framing of a record, roughly. */
const RECORD_OVERHEAD = 300;

interface Parcel {
  topic: string;
  messages: Message[];
  bytes: number;
}

/**
 * Publishes the topics this service declared. Concurrent callers share produce calls: while one is under way, records
 * gather for the next.
 */
export class Publisher {
  private readonly link: ProducerLink;
  private readonly calls: Batcher<Parcel, void>;
  private readonly declared: ReadonlySet<string>;
  private waiting = { records: 0, bytes: 0 };

  constructor(
    private readonly client: KafkaClient,
    produces: readonly Topic[],
    lingerMs = 0,
  ) {
    this.declared = new Set(produces.map(({ name }) => name));
    this.link = new ProducerLink(client);
    this.calls = new Batcher<Parcel, void>(
      {
        maxItems: CALL_RECORDS,
        maxBytes: CALL_BYTES,
        sizeOf: ({ bytes }) => bytes,
        lingerMs,
        maxQueued: client.config.KAFKA_PUBLISH_QUEUE_RECORDS,
        concurrency: 1,
      },
      async (parcels) => {
        await this.link.send(mergeByTopic(parcels));
        return parcels.map(() => undefined);
      },
    );
    observeProduceQueue(() => this.waiting.records);
  }

  /**
   * Resolves when every record is acknowledged by all in-sync replicas. Errors: `NotPublishableError`, `OverloadedError`
   * (nothing was taken), `PublishUncertainError` (no answer within `waitMs`, by default the configured bound).
   */
  async publish<T extends Topic>(topic: T, records: readonly OutgoingRecord<T>[], waitMs?: number): Promise<void> {
    await this.publishEncoded(this.encode(topic, records), waitMs);
  }

  /** Wire form of records, checked against the topic's contract; what an outbox row holds. */
  encode<T extends Topic>(topic: T, records: readonly OutgoingRecord<T>[]): EncodedRecord[] {
    if (!this.declared.has(topic.name)) {
      throw new NotPublishableError(
        `${this.client.service} does not publish ${topic.name}: add it to "produces" of KafkaModule.forService and to its producers`,
      );
    }
    return encodeRecords(topic, records, this.client.service);
  }

  async publishEncoded(
    records: readonly EncodedRecord[],
    waitMs = this.client.config.KAFKA_PUBLISH_WAIT_MS,
  ): Promise<void> {
    const sent = this.send(records);
    const outcome = await settleWithin(sent, waitMs);
    if (outcome === 'late') throw new PublishUncertainError(records[0]?.topic ?? '');
  }

  /** As `publishEncoded` without a bound: settles when Kafka has answered, however long that takes. */
  async send(records: readonly EncodedRecord[]): Promise<void> {
    const messages = records.map(({ topic, key, value, headers, partition }) => ({
      topic,
      message: { key, value, headers, ...(partition === undefined ? {} : { partition }) },
    }));
    await this.sendRaw(messages);
  }

  /** Sends messages as they are (dead letters keep their bytes). Topic names without prefix. */
  async sendRaw(messages: readonly { topic: string; message: Message }[]): Promise<void> {
    const first = messages[0];
    if (!first) return;
    const parcels = messages.map(({ topic, message }) => this.parcel(topic, message));
    const bytes = parcels.reduce((sum, parcel) => sum + parcel.bytes, 0);
    const { KAFKA_PUBLISH_QUEUE_RECORDS: mostRecords, KAFKA_PUBLISH_QUEUE_BYTES: mostBytes } = this.client.config;
    if (
      this.waiting.records + messages.length > mostRecords ||
      (this.waiting.records > 0 && this.waiting.bytes + bytes > mostBytes)
    ) {
      throw new OverloadedError();
    }
    this.waiting.records += messages.length;
    this.waiting.bytes += bytes;
    try {
      await Promise.all(parcels.map((parcel) => this.calls.add(parcel)));
      countPublished(first.topic, 'acknowledged', messages.length);
    } catch (error) {
      countPublished(first.topic, 'failed', messages.length);
      throw new PublishUncertainError(first.topic, { cause: error });
    } finally {
      this.waiting.records -= messages.length;
      this.waiting.bytes -= bytes;
    }
  }

  /** Connects in advance; otherwise the first publish does. */
  connect(): Promise<void> {
    return this.link.connect();
  }

  /** Sends what waits, for at most `graceMs`, then disconnects. */
  async close(graceMs: number): Promise<void> {
    await settleWithin(this.calls.drain(), graceMs);
    await settleWithin(this.link.close(), DISCONNECT_MS);
  }

  private parcel(topic: string, message: Message): Parcel {
    const bytes = RECORD_OVERHEAD + (message.value?.length ?? 0);
    if (bytes > CALL_BYTES) throw new NotPublishableError(`A record for ${topic} is larger than ${CALL_BYTES} bytes`);
    return { topic: this.client.topicName(topic), messages: [message], bytes };
  }
}

function mergeByTopic(parcels: readonly Parcel[]): TopicMessages[] {
  const byTopic = new Map<string, Message[]>();
  for (const { topic, messages } of parcels) {
    const merged = byTopic.get(topic);
    if (merged) merged.push(...messages);
    else byTopic.set(topic, [...messages]);
  }
  return [...byTopic].map(([topic, messages]) => ({ topic, messages }));
}
