import { afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { kafkaAdmin } from '@lethe/testing';
import { collector } from './support/collector.ts';
import { build, startChild, type ConsumerChild } from './support/child.ts';
import { eventually, kafkaWorld, numbers, work, type KafkaWorld } from './support/kafka-world.ts';

const WORK = work(2);
const HANGING = [0, 1, 2, 3, 4];
let world: KafkaWorld;
let child: ConsumerChild;

beforeAll(build);
beforeEach(async () => {
  world = await kafkaWorld([WORK]);
  await world.publisher('ingest', [WORK]).publish(WORK, numbers(0, 50));
  child = startChild({ prefix: world.prefix, topic: WORK, hang: HANGING, concurrency: 20 });
  await eventually(
    'five in flight, the rest done',
    () => child.started.length === 50 && child.done.length === 45,
    60_000,
  );
  await eventually('and that is durable', async () => (await world.durable('delivery-work', 'work')) === 45);
  child.freeze();
  await eventually('the group has lost it', async () => (await members()) === 0, 60_000);
}, 180_000);
afterEach(async () => {
  await child.kill9();
  await world.close();
});

async function members(): Promise<number | undefined> {
  const { kafka } = inject('stores');
  const described = await kafkaAdmin(
    kafka.brokers,
    kafka.admin,
  )((admin) => admin.describeGroups([`${world.prefix}delivery-work`]));
  return described.groups[0]?.members.length;
}
const repeated = (started: number[]) => started.filter((n, at) => started.indexOf(n) !== at);
const startedBy = (consumer: ConsumerChild) => consumer.started.map(({ n }) => n);

it('thrown out and back with nobody between: what is in flight stays its own and is not handed out again', async () => {
  child.thaw();
  await eventually('back', async () => (await members()) === 1, 60_000);
  await world.publisher('ingest', [WORK]).publish(WORK, numbers(50, 100));
  await eventually('going on', () => child.done.length === 95, 60_000);
  expect(repeated(startedBy(child))).toEqual([]);
  expect(child.started.filter(({ maybeDuplicate }) => maybeDuplicate)).toEqual([]);
}, 180_000);

it('thrown out and back with another between: the other has the records, and its commits stand', async () => {
  const heir = collector(world, WORK, { claims: true });
  await eventually('the heir has what was in flight', () => heir.handed.length === HANGING.length, 60_000);
  expect(heir.handed.every(({ maybeDuplicate }) => maybeDuplicate)).toBe(true);
  expect(heir.numbers()).toEqual(HANGING);
  child.thaw();
  await eventually('both are members', async () => (await members()) === 2, 60_000);
  const publisher = world.publisher('ingest', [WORK]);
  for (const partition of [0, 1])
    await publisher.publish(WORK, numbers(100 + partition * 50, 150 + partition * 50, partition));
  await eventually('all handled', () => heir.handed.length + child.started.length === 155, 60_000);
  expect(repeated(startedBy(child))).toEqual([]);
  expect(repeated(heir.handed.map(({ n }) => n))).toEqual([]);
  // Had the child kept its old windows, it would have committed them over the heir's.
  await eventually('all durable', async () => (await world.durable('delivery-work', 'work')) === 150);
  await heir.consumer.stop(1_000);
}, 180_000);
