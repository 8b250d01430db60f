import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startKafka, type Kafka } from '@lethe/testing';
import {
  bind,
  DeadLetters,
  done,
  GroupConsumer,
  kafkaConfig,
  KafkaClient,
  Publisher,
  type ConsumedRecord,
} from '../src/index.ts';
import { createOwnTopics } from './support/own-broker.ts';
import { readAll, eventually, numbers, silent, work } from './support/kafka-world.ts';

const AWAY_MS = 15_000;
const WORK = work(4);
const secret = { username: 'admin', password: 'a-test-password' };
let dir: string;
let kafka: Kafka;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lethe-outage-'));
  kafka = await startKafka({ dir, admin: secret, users: [] });
  await createOwnTopics(kafka.brokers, secret, [WORK]);
}, 200_000);
afterAll(async () => {
  await kafka?.stop();
  rmSync(dir, { recursive: true, force: true });
});

it('a broker away for 15 s loses nothing and doubles nothing', async () => {
  const config = z.object(kafkaConfig).parse({
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_USERNAME: secret.username,
    KAFKA_PASSWORD: secret.password,
    KAFKA_PUBLISH_WAIT_MS: '120000',
    KAFKA_PUBLISH_QUEUE_RECORDS: '200000',
  });
  const producing = new KafkaClient('ingest', config, silent);
  const publisher = new Publisher(producing, [WORK]);
  const consuming = new KafkaClient('delivery', config, silent);
  const handed: { n: number; maybeDuplicate: boolean }[] = [];
  const binding = bind({
    topic: WORK,
    name: 'outage',
    options: { claims: true, concurrency: 20 },
    handle: async ({ value, maybeDuplicate }: ConsumedRecord<typeof WORK>) => {
      handed.push({ n: value.n, maybeDuplicate });
      await sleep(5);
      return done();
    },
  });
  const consumer = new GroupConsumer(consuming, binding, new DeadLetters(publisher, silent));
  consumer.start();

  let next = 0;
  const enough = new AbortController();
  const sent: Promise<void>[] = [];
  const stream = (async () => {
    while (!enough.signal.aborted) {
      sent.push(publisher.publish(WORK, numbers(next, next + 5)));
      next += 5;
      await sleep(10);
    }
  })();
  await eventually('under way', () => handed.length > 500);
  await kafka.kill9();
  await sleep(AWAY_MS);
  await kafka.restart();
  const back = handed.length;
  await eventually('going on', () => handed.length > back + 500, 60_000);
  enough.abort();
  await stream;
  await Promise.all(sent);
  await eventually('all handled', () => handed.length >= next, 60_000);
  await consumer.stop(2_000);
  await publisher.close(2_000);
  await Promise.all([producing.close(), consuming.close()]);

  const all = Array.from({ length: next }, (_, n) => n);
  const written = (await readAll({ brokers: kafka.brokers, admin: secret }, 'work')).map(
    ({ value }) => (JSON.parse(String(value)) as { n: number }).n,
  );
  expect(written.toSorted((a, b) => a - b)).toEqual(all);
  expect(handed.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(all);
  expect(handed.filter(({ maybeDuplicate }) => maybeDuplicate)).toEqual([]);
}, 200_000);
