import { randomBytes } from 'node:crypto';
import { MAIL_ACCEPTED, MAIL_EVENTS, TOPICS } from '@lethe/contracts';
import { KafkaClient, kafkaConfig } from '@lethe/kafka';
import { Clock, createLog } from '@lethe/service';
import { createTopics, deleteTopics } from '@lethe/testing';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { TopicsMeter } from '../src/retention/topics.meter.ts';

const { Kafka, logLevel } = kafkajs;
const prefix = `meter${randomBytes(4).toString('hex')}-`;
const stores = inject('stores');
let client: KafkaClient;

/** Sends as the administrator, who may; answers when the broker wrote it, epoch ms. */
async function send(topic: string, partition: number): Promise<number> {
  const kafka = new Kafka({
    brokers: [...stores.kafka.brokers],
    sasl: { mechanism: 'scram-sha-512', ...stores.kafka.admin },
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer();
  await producer.connect();
  const [answer] = await producer.send({ topic: prefix + topic, messages: [{ key: 'k', value: 'v', partition }] });
  await producer.disconnect();
  return Number(answer?.logAppendTime);
}

beforeAll(async () => {
  await createTopics(stores, prefix);
  const { username, password } = stores.kafka.users.privacy;
  const environment = {
    KAFKA_BROKERS: stores.kafka.brokers.join(','),
    KAFKA_USERNAME: username,
    KAFKA_PASSWORD: password,
  };
  const config = z.object(kafkaConfig).parse({ ...environment, TOPIC_PREFIX: prefix });
  client = new KafkaClient('privacy', config, createLog({ service: 'privacy', level: 'silent' }));
});
afterAll(async () => {
  await client?.close();
  await deleteTopics(stores, prefix);
});

it('measures every topic that has a limit, and its dead letters, with the rights privacy has', async () => {
  const first = await send(MAIL_ACCEPTED.name, 17);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await send(MAIL_ACCEPTED.name, 3);
  await send(MAIL_ACCEPTED.name, 17);
  const dead = await send(MAIL_EVENTS.deadLetter, 0);

  const readings = await new TopicsMeter(client, new Clock()).measure();
  const limited = TOPICS.filter(({ cleanup }) => cleanup.kind === 'time-limited');
  expect(readings.map(({ store }) => store).toSorted()).toEqual(
    limited.flatMap(({ name, deadLetter }) => [`kafka.${name}`, `kafka.${deadLetter}`]).toSorted(),
  );
  const of = (name: string) => readings.find(({ store }) => store === `kafka.${name}`);
  expect(of(MAIL_ACCEPTED.name)).toMatchObject({ service: 'ingest', class: 'topic-7d', limitSeconds: 604_800 });
  const oldest = of(MAIL_ACCEPTED.name)?.oldestAt?.getTime() ?? 0;
  expect([oldest <= first, oldest > first - 1_000]).toEqual([true, true]);
  expect(Math.abs((of(MAIL_EVENTS.deadLetter)?.oldestAt?.getTime() ?? 0) - dead)).toBeLessThanOrEqual(1_000);
  expect(of(MAIL_EVENTS.name)).toMatchObject({ limitSeconds: 2_592_000, oldestAt: null });
});
