import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  PRIVACY_COMMANDS,
  PRIVACY_REPLIES,
  type PrivacyCommand,
  type PrivacyReply,
  type Service,
} from '@lethe/contracts';
import {
  bind,
  DeadLetters,
  done,
  GroupConsumer,
  KafkaClient,
  kafkaConfig,
  Publisher,
  type ConsumedRecord,
} from '@lethe/kafka';
import { createLog } from '@lethe/service';
import { createTopics, deleteTopics, kafkaAdmin, until, type Stores, type TopicDeclaration } from '@lethe/testing';

export const silent = createLog({ service: 'test', level: 'silent' });

/** Kafka with the two topics, and `privacy`'s side of them. */
export interface PrivacySide {
  readonly prefix: string;
  configOf(service: Service): z.infer<z.ZodObject<typeof kafkaConfig>>;
  ask(command: PrivacyCommand): Promise<void>;
  /** Bytes that are no command. */
  askRaw(value: string): Promise<void>;
  /** Every answer so far, in the order they were read. */
  readonly replies: readonly PrivacyReply[];
  /** The first answer of that attempt of a request, once it is there. */
  reply(requestId: string, attempt?: number): Promise<PrivacyReply>;
  /** How many records a topic holds, dead letters included. */
  held(topic: string): Promise<number>;
  /** Records of privacy-commands that `suppression` has committed. */
  committed(): Promise<number>;
  create(topics: readonly TopicDeclaration[]): Promise<void>;
  close(): Promise<void>;
}

export async function privacySide(
  stores: Stores,
  topics: readonly TopicDeclaration[] = [PRIVACY_COMMANDS, PRIVACY_REPLIES],
): Promise<PrivacySide> {
  const prefix = `ph${randomBytes(4).toString('hex')}-`;
  const withAdmin = kafkaAdmin(stores.kafka.brokers, stores.kafka.admin);
  await createTopics(stores, prefix, topics);
  const configOf: PrivacySide['configOf'] = (service) =>
    z.object(kafkaConfig).parse({
      KAFKA_BROKERS: stores.kafka.brokers.join(','),
      KAFKA_USERNAME: stores.kafka.users[service].username,
      KAFKA_PASSWORD: stores.kafka.users[service].password,
      TOPIC_PREFIX: prefix,
      KAFKA_PUBLISH_WAIT_MS: '2000',
      KAFKA_DRAIN_MS: '500',
    });
  const client = new KafkaClient('privacy', configOf('privacy'), silent);
  const publisher = new Publisher(client, [PRIVACY_COMMANDS]);
  const replies: PrivacyReply[] = [];
  const binding = bind({
    topic: PRIVACY_REPLIES,
    name: 'test',
    options: {},
    handle: async ({ value }: ConsumedRecord<typeof PRIVACY_REPLIES>) => {
      replies.push(value);
      return done();
    },
  });
  const consumer = new GroupConsumer(client, binding, new DeadLetters(publisher, silent));
  consumer.start();
  return {
    prefix,
    configOf,
    replies,
    ask: (value) =>
      publisher.publish(PRIVACY_COMMANDS, [
        { key: value.requestId, value, id: `${value.requestId}/${value.step}/${value.attempt}`, type: value.step },
      ]),
    askRaw: (value) => publisher.sendRaw([{ topic: PRIVACY_COMMANDS.name, message: { key: 'x', value } }]),
    async reply(requestId, attempt = 1) {
      const of = () => replies.find((reply) => reply.requestId === requestId && reply.attempt === attempt);
      if (!(await until(() => of() !== undefined, 60_000, 20))) throw new Error('no answer within a minute');
      return of() as PrivacyReply;
    },
    held: (topic) =>
      withAdmin(async (admin) => {
        const offsets = await admin.fetchTopicOffsets(prefix + topic);
        return offsets.reduce((total, { high, low }) => total + Number(high) - Number(low), 0);
      }),
    committed: () =>
      withAdmin(async (admin) => {
        const groupId = `${prefix}suppression-${PRIVACY_COMMANDS.name}`;
        const [of] = await admin.fetchOffsets({ groupId, topics: [prefix + PRIVACY_COMMANDS.name] });
        return (of?.partitions ?? []).reduce((total, { offset }) => total + Math.max(0, Number(offset)), 0);
      }),
    create: (more) => createTopics(stores, prefix, more),
    async close() {
      await consumer.stop(1_000);
      await publisher.close(1_000);
      await client.close();
      await deleteTopics(stores, prefix);
    },
  };
}
