import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, type KafkaMessage } from 'kafkajs';
import { inject } from 'vitest';
import { z } from 'zod';
import type { Service, Topic } from '@lethe/contracts';
import { createLog } from '@lethe/service';
import { createTopics, deleteTopics, kafkaAdmin, until } from '@lethe/testing';
import { decodeProgress } from '../../src/window/progress.ts';
import { DeadLetters, kafkaConfig, KafkaClient, Publisher } from '../../src/index.ts';

const schema = z.object(kafkaConfig);

/** A topic of the suite's own, from `ingest` to `delivery`. */
export const work = <const P extends number>(partitions: P) =>
  ({
    name: 'work',
    what: 'numbers',
    producers: ['ingest'],
    consumers: ['delivery'],
    key: 'n',
    partitions,
    cleanup: { kind: 'time-limited', limitMs: 7 * 86_400_000 },
    deadLetter: 'work-dead-letter',
    value: z.object({ n: z.int(), inner: z.object({ word: z.string() }).optional() }),
  }) as const satisfies Topic;
export type Work = ReturnType<typeof work>;

export interface KafkaWorld {
  prefix: string;
  client(service: Service, overrides?: Record<string, string>): KafkaClient;
  publisher(service: Service, produces: readonly Topic[], overrides?: Record<string, string>): Publisher;
  deadLetters(publisher: Publisher): DeadLetters;
  /** Everything a topic holds now. */
  read(topic: string): Promise<KafkaMessage[]>;
  committed(group: string, topic: string): Promise<{ partition: number; offset: string; metadata: string | null }[]>;
  /** How many records are durable as done: below the offsets, and above them in the metadata. */
  durable(group: string, topic: string): Promise<number>;
  close(): Promise<void>;
}

export const silent = createLog({ service: 'test', level: process.env['LETHE_TEST_LOG'] ? 'debug' : 'silent' });

/** Topics under a prefix of their own on the shared broker. */
export async function kafkaWorld(topics: readonly Topic[]): Promise<KafkaWorld> {
  const stores = inject('stores');
  const prefix = `k${randomBytes(4).toString('hex')}-`;
  await createTopics(stores, prefix, topics);
  const opened: (() => Promise<void>)[] = [];
  const withAdmin = kafkaAdmin(stores.kafka.brokers, stores.kafka.admin);

  const client = (service: Service, overrides: Record<string, string> = {}): KafkaClient => {
    const { username, password } = stores.kafka.users[service];
    const config = schema.parse({
      KAFKA_BROKERS: stores.kafka.brokers.join(','),
      KAFKA_USERNAME: username,
      KAFKA_PASSWORD: password,
      TOPIC_PREFIX: prefix,
      ...overrides,
    });
    const made = new KafkaClient(service, config, silent);
    opened.push(() => made.close());
    return made;
  };
  const committed: KafkaWorld['committed'] = (group, topic) =>
    withAdmin(async (admin) => {
      const [answer] = await admin.fetchOffsets({ groupId: prefix + group, topics: [prefix + topic] });
      return answer?.partitions ?? [];
    });
  return {
    prefix,
    client,
    committed,
    durable: async (group, topic) => {
      const progress = (await committed(group, topic)).map(({ offset, metadata }) =>
        decodeProgress(Number(offset), metadata),
      );
      return progress.reduce((sum, { offset, done }) => sum + Math.max(0, offset) + done.length, 0);
    },
    publisher(service, produces, overrides) {
      const made = new Publisher(client(service, overrides), produces);
      opened.push(() => made.close(1_000));
      return made;
    },
    deadLetters: (publisher) => new DeadLetters(publisher, silent),
    read: (topic) => readAll(stores.kafka, prefix + topic),
    async close() {
      await Promise.all(opened.map((close) => close().catch(() => undefined)));
      await deleteTopics(stores, prefix);
    },
  };
}

export async function readAll(
  { brokers, admin }: { brokers: string[]; admin: { username: string; password: string } },
  topic: string,
): Promise<KafkaMessage[]> {
  const kafka = new Kafka({
    clientId: 'reader',
    brokers,
    sasl: { mechanism: 'scram-sha-512', ...admin },
    logLevel: logLevel.NOTHING,
  });
  const ends = await kafkaAdmin(brokers, admin)((client) => client.fetchTopicOffsets(topic));
  const missing = new Map(
    ends.filter(({ high, low }) => high !== low).map(({ partition, high }) => [partition, Number(high)]),
  );
  const messages: KafkaMessage[] = [];
  const consumer = kafka.consumer({ groupId: `reader-${randomBytes(4).toString('hex')}`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      messages.push(...batch.messages);
      if (Number(batch.lastOffset()) + 1 >= (missing.get(batch.partition) ?? 0)) missing.delete(batch.partition);
    },
  });
  await until(() => missing.size === 0, 20_000, 20);
  await consumer.disconnect();
  return messages;
}

/** Waits for a condition; fails with what it waited for. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  if (!(await until(condition, ms, 20))) throw new Error(`not within ${ms} ms: ${what}`);
}

export const numbers = (from: number, to: number, partition?: number) =>
  Array.from({ length: to - from }, (_, index) => ({
    key: `k${from + index}`,
    value: { n: from + index },
    id: `id-${from + index}`,
    type: 'work',
    ...(partition === undefined ? {} : { partition }),
  }));
