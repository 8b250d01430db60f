import { afterAll, beforeAll, expect, it } from 'vitest';
import { done } from '../src/index.ts';
import { collector, gate } from './support/collector.ts';
import { eventually, kafkaWorld, numbers, work, type KafkaWorld } from './support/kafka-world.ts';

const WORK = work(4);
let world: KafkaWorld;

beforeAll(async () => {
  world = await kafkaWorld([WORK]);
});
afterAll(() => world.close());

it('a rejoin with records in flight: kept windows go on, lost ones are dropped and never committed', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  for (const partition of [0, 1, 2, 3])
    await publisher.publish(WORK, numbers(partition * 100, partition * 100 + 20, partition));
  const hold = gate();
  const aborted = new Set<number>();
  // The first of every partition stays in flight over the rejoin.
  const first = collector(world, WORK, {
    claims: true,
    handle: async ({ value, signal, partition }) => {
      signal.addEventListener('abort', () => aborted.add(partition));
      if (value.n % 100 === 0) await hold.opened;
      return done();
    },
  });
  await eventually('all handed to the first', () => first.handed.length === 80);
  await eventually('76 committed above the offsets', async () => {
    const partitions = await world.committed('delivery-work', 'work');
    return (
      partitions.length === 4 &&
      partitions.every(({ offset, metadata }) => offset === '0' && (metadata?.length ?? 0) > 16)
    );
  });

  const second = collector(world, WORK, { claims: true });
  // Partitions are fetched one by one, and their loss is told one by one.
  await eventually('the second has its share', () => second.consumer.ready && second.handed.length >= 2, 30_000);
  await eventually('the first knows', () => first.consumer.ready && aborted.size >= 2);
  const lost = [...aborted];
  expect(lost.length).toBe(2);

  // What the first had finished is not handed out again; what was in flight is, and says so.
  expect(second.handed.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(
    lost.map((partition) => partition * 100).toSorted((a, b) => a - b),
  );
  expect(second.handed.every(({ maybeDuplicate }) => maybeDuplicate)).toBe(true);

  const before = await world.committed('delivery-work', 'work');
  hold.open();
  await eventually('kept partitions are done', async () => {
    const partitions = await world.committed('delivery-work', 'work');
    return partitions.every(({ offset }) => offset === '20');
  });
  // The late results for lost partitions changed nothing: their commits carry the second's mark.
  const after = await world.committed('delivery-work', 'work');
  const writer = (list: typeof after, partition: number) =>
    list.find((each) => each.partition === partition)?.metadata?.split(';')[1];
  for (const partition of [0, 1, 2, 3]) {
    const [a, b] = [writer(before, partition), writer(after, partition)];
    if (!lost.includes(partition)) expect(b).toBe(a);
    else expect(b).not.toBe(writer(after, [0, 1, 2, 3].find((kept) => !lost.includes(kept)) ?? 0));
  }
  // Nothing was handed to the same window twice.
  expect(first.handed.length).toBe(80);

  await publisher.publish(
    WORK,
    [0, 1, 2, 3].flatMap((partition) => numbers(partition * 100 + 20, partition * 100 + 40, partition)),
  );
  await eventually('both go on', () => first.handed.length + second.handed.length === 162);
  await Promise.all([first.consumer.stop(1_000), second.consumer.stop(1_000)]);
});
