import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { inTransaction } from '@lethe/database';
import { createDatabase, type SuiteDatabase } from '@lethe/testing';
import { Outbox, OUTBOX_UP, OutboxFullError, OutboxRelay, type OutboxGroup, type Publisher } from '../src/index.ts';
import { eventually, kafkaWorld, numbers, silent, work, type KafkaWorld } from './support/kafka-world.ts';

const WORK = work(2);
let world: KafkaWorld;
let database: SuiteDatabase;
let pool: Pool;
let publisher: Publisher;

beforeAll(async () => {
  world = await kafkaWorld([WORK]);
  database = await createDatabase(inject('stores'), 'ingest', `k${randomBytes(4).toString('hex')}`);
  pool = new Pool({ connectionString: database.url });
  await pool.query(OUTBOX_UP);
  publisher = world.publisher('ingest', [WORK]);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
  await world.close();
});
beforeEach(() => pool.query('DELETE FROM outbox'));

async function group(from: number, to: number): Promise<OutboxGroup> {
  const { rows } = await pool.query<{ id: string }>('SELECT uuidv7() AS id');
  return { id: rows[0]?.id ?? '', records: publisher.encode(WORK, numbers(from, to)) };
}
const rows = async (): Promise<number> =>
  Number((await pool.query<{ n: string }>('SELECT count(*) AS n FROM outbox')).rows[0]?.n);
const open = (through = publisher, mostPending = 100) => new Outbox(pool, through, silent, { mostPending });
const insert = (outbox: Outbox, groups: OutboxGroup[]) =>
  inTransaction(pool, (client) => outbox.insertMany(client, groups));

async function written(from: number, to: number): Promise<{ n: number; marked: boolean }[]> {
  return (await world.read('work'))
    .map(({ value, headers }) => ({
      n: (JSON.parse(String(value)) as { n: number }).n,
      marked: headers?.['lethe_maybe_duplicate']?.toString() === '1',
    }))
    .filter(({ n }) => n >= from && n < to)
    .toSorted((a, b) => a.n - b.n);
}

it('publishes after the commit, unmarked, and deletes the rows', async () => {
  const outbox = open();
  const groups = await Promise.all([group(0, 3), group(3, 4)]);
  await insert(outbox, groups);
  expect(await rows()).toBe(2);
  expect(await outbox.publishNow(groups, 5_000)).toBe(true);
  await eventually('rows deleted', async () => (await rows()) === 0, 5_000);
  expect(await written(0, 4)).toEqual([0, 1, 2, 3].map((n) => ({ n, marked: false })));
});

it('what rolls back is never published', async () => {
  const outbox = open();
  const [lost] = [await group(10, 11)];
  await expect(
    inTransaction(pool, async (client) => {
      await outbox.insertMany(client, [lost]);
      throw new Error('planted');
    }),
  ).rejects.toThrow('planted');
  expect(await rows()).toBe(0);
});

it('after a crash between commit and publish the relay publishes, marked, once over two replicas', async () => {
  const groups = await Promise.all([group(20, 25), group(25, 30), group(30, 31)]);
  await insert(open(), groups);
  // Nobody calls publishNow: the process that committed is gone.
  const outboxes = [open(), open()];
  const relays = outboxes.map(
    (outbox) => new OutboxRelay(pool, outbox, silent, { olderThanMs: 200, everyMs: 50, batch: 2 }),
  );
  for (const relay of relays) relay.start();
  await eventually('relayed', async () => (await rows()) === 0);
  await Promise.all(relays.map((relay) => relay.stop()));
  expect(await written(20, 31)).toEqual(Array.from({ length: 11 }, (_, at) => ({ n: 20 + at, marked: true })));
});

it('relays a backlog of more records than the publisher can hold', async () => {
  const narrow = world.publisher('ingest', [WORK], { KAFKA_PUBLISH_QUEUE_RECORDS: '5000' });
  const outbox = open(narrow);
  // Another process left them.
  await insert(open(), await Promise.all([0, 1, 2, 3].map((n) => group(1_000 + n * 2_000, 3_000 + n * 2_000))));
  const relay = new OutboxRelay(pool, outbox, silent, { olderThanMs: 0, everyMs: 50 });
  relay.start();
  await eventually('relayed', async () => (await rows()) === 0);
  await relay.stop();
  expect(await written(1_000, 9_000)).toHaveLength(8_000);
});

it('leaves young rows, and rows being published, alone', async () => {
  const outbox = open();
  const [young, busy] = [await group(40, 41), await group(41, 42)];
  await insert(open(), [young, busy]);
  outbox.underWay.add(busy.id);
  await pool.query(`UPDATE outbox SET created_at = now() - interval '1 hour' WHERE id = $1`, [busy.id]);
  const relay = new OutboxRelay(pool, outbox, silent, { olderThanMs: 60_000, everyMs: 20 });
  relay.start();
  // An old row of nobody shows that the relay has passed.
  const old = await group(42, 43);
  await insert(open(), [old]);
  await pool.query(`UPDATE outbox SET created_at = now() - interval '1 hour' WHERE id = $1`, [old.id]);
  await eventually('the old row is relayed', async () => (await rows()) === 2, 5_000);
  await relay.stop();
  expect(await written(40, 43)).toEqual([{ n: 42, marked: true }]);
});

it('leaves alone what this process has committed and is about to publish, however long that took', async () => {
  const outbox = open();
  const mine = await group(44, 45);
  await insert(outbox, [mine]);
  const relay = new OutboxRelay(pool, outbox, silent, { olderThanMs: 0, everyMs: 20 });
  relay.start();
  await insert(open(), [await group(45, 46)]);
  await eventually('the row of nobody is relayed', async () => (await rows()) === 1, 5_000);
  expect(await outbox.publishNow([mine], 5_000)).toBe(true);
  await eventually('rows deleted', async () => (await rows()) === 0, 5_000);
  await relay.stop();
  expect(await written(44, 46)).toEqual([
    { n: 44, marked: false },
    { n: 45, marked: true },
  ]);
});

it('with Kafka away the rows stay, the caller is told in time, and the bound is held', async () => {
  const cutOff = world.publisher('ingest', [WORK], { KAFKA_BROKERS: '127.0.0.1:9' });
  const outbox = open(cutOff, 2);
  outbox.start();
  const groups = await Promise.all([group(50, 51), group(51, 52), group(52, 53)]);
  await insert(outbox, groups);
  expect(await outbox.publishNow(groups, 200)).toBe(false);
  expect(outbox.underWay.size).toBe(3);
  await eventually('counted', () => outbox.pending >= 3, 3_000);
  expect(() => outbox.assertRoom()).toThrow(OutboxFullError);
  await eventually('counted again', () => outbox.pending === 3, 3_000);
  await outbox.stop();
  expect(await rows()).toBe(3);
  expect(await written(50, 53)).toEqual([]);
});
