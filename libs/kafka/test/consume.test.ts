import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeProgress } from '../src/window/progress.ts';
import { done, forgotten, reject, retry } from '../src/index.ts';
import { collector, gate } from './support/collector.ts';
import { eventually, kafkaWorld, numbers, work, type KafkaWorld } from './support/kafka-world.ts';

const WORK = work(4);
let world: KafkaWorld;

beforeAll(async () => {
  world = await kafkaWorld([WORK]);
});
afterAll(() => world.close());

/** A group of its own per test reads the whole topic, so each test looks at its own numbers only. */
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const within = (all: number[], from: number, to: number) => all.filter((n) => n >= from && n < to);

it('hands out every record once and commits all of it', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  const { handed, consumer, numbers: seen } = collector(world, WORK, { claims: true, concurrency: 50 });
  await Promise.all(range(0, 100).map((at) => publisher.publish(WORK, numbers(at * 20, at * 20 + 20))));
  await eventually('2,000 handled', () => handed.length >= 2_000);
  expect(seen()).toEqual(range(0, 2_000));
  expect(handed.some(({ maybeDuplicate }) => maybeDuplicate)).toBe(false);
  await consumer.stop(1_000);
  const committed = await world.committed('delivery-work', 'work');
  expect(committed.reduce((sum, { offset }) => sum + Number(offset), 0)).toBe(2_000);
});

it('a slow record holds up the offset alone: others of its partition go on, and the commit says so', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  const slow = gate();
  const { numbers: seen, consumer } = collector(world, WORK, {
    group: 'slow',
    claims: true,
    handle: async ({ value }) => {
      if (value.n === 10_000) await slow.opened;
      return done();
    },
  });
  await publisher.publish(WORK, numbers(10_000, 10_100, 1));
  await eventually('99 others handled', () => within(seen(), 10_000, 10_100).length === 100);
  const progress = async () => {
    const partitions = await world.committed('delivery-slow', 'work');
    const { offset = '0', metadata = null } = partitions.find(({ partition }) => partition === 1) ?? {};
    return decodeProgress(Number(offset), metadata);
  };
  await eventually('99 in the bitmap', async () => (await progress()).done.length === 99);
  const { offset, done: above, dispatchedUpTo } = await progress();
  expect(above).toEqual(range(offset + 1, offset + 100));
  expect(dispatchedUpTo).toBe(offset + 100);
  slow.open();
  await eventually('the offset moves', async () => (await progress()).offset === offset + 100);
  await consumer.stop(1_000);
});

it('spills what takes too long, and moves on once that is durable', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  const spilled: number[] = [];
  let refusals = 1;
  let aborted = false;
  const { consumer } = collector(world, WORK, {
    group: 'spill',
    spillAfterMs: 300,
    handle: async ({ value, signal }) => {
      if (value.n !== 20_000) return done();
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => {});
    },
    spill: async ({ value }) => {
      if (refusals-- > 0) return false;
      spilled.push(value.n);
      return true;
    },
  });
  await publisher.publish(WORK, numbers(20_000, 20_010, 2));
  await eventually('spilled on the second asking', () => spilled.length > 0);
  expect(spilled).toEqual([20_000]);
  const [high] = await ends(2);
  await eventually('all committed', async () => {
    const partitions = await world.committed('delivery-spill', 'work');
    return partitions.some(({ partition, offset }) => partition === 2 && Number(offset) === high);
  });
  expect(aborted).toBe(true);
  await consumer.stop(100);
});

it('retries with others going on; a throw is a retry; a rejection and what breaks the contract become dead letters', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  const {
    handed,
    consumer,
    numbers: seen,
  } = collector(world, WORK, {
    group: 'outcomes',
    handle: async ({ value: { n }, attempt }) => {
      if (n === 30_001 && attempt < 3) return retry('not-yet', 10);
      if (n === 30_002 && attempt === 1) throw new Error('planted: jane@example.com');
      if (n === 30_003) return reject('no such thing: jane@example.com');
      return n === 30_004 ? forgotten() : done();
    },
  });
  const poison = (value: string, id: string) => ({
    topic: 'work',
    message: { key: id, value, partition: 3, headers: { kept: 'as it is' } },
  });
  await publisher.publish(WORK, numbers(30_000, 30_005, 3));
  await publisher.sendRaw([poison('{"n": 1', 'bad-json'), poison('{"n":30777,"inner":{"word":7}}', 'bad-field')]);
  await publisher.publish(WORK, numbers(30_005, 30_010, 3));

  const [high] = await ends(3);
  await eventually('the partition went on to its end', async () => {
    const partitions = await world.committed('delivery-outcomes', 'work');
    return partitions.some(({ partition, offset }) => partition === 3 && Number(offset) === high);
  });
  const calls = (wanted: number) => handed.filter(({ n }) => n === wanted).map(({ attempt }) => attempt);
  expect([calls(30_000), calls(30_001), calls(30_002), calls(30_003)]).toEqual([[1], [1, 2, 3], [1, 2], [1]]);
  expect(new Set(within(seen(), 30_000, 30_010)).size).toBe(10);
  expect(seen()).not.toContain(30_777);

  const letters = await world.read('work-dead-letter');
  const told = letters.map(({ key, value, headers }) => [
    key?.toString(),
    value?.toString(),
    headers?.['lethe_reason']?.toString(),
    headers?.['lethe_source_topic']?.toString(),
    headers?.['lethe_source_partition']?.toString(),
  ]);
  expect(told.toSorted(([a = ''], [b = '']) => a.localeCompare(b))).toEqual([
    ['bad-field', '{"n":30777,"inner":{"word":7}}', 'contract:inner.word', 'work', '3'],
    ['bad-json', '{"n": 1', 'contract:(not JSON)', 'work', '3'],
    ['k30003', '{"n":30003}', 'no-such-thing--jane-example.com', 'work', '3'],
  ]);
  expect(letters.find(({ key }) => key?.toString() === 'bad-json')?.headers?.['kept']?.toString()).toBe('as it is');
  await consumer.stop(1_000);
});

it('hands batches over all partitions to a batch handler', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  const sizes: number[] = [];
  const seen: number[] = [];
  const { bind, GroupConsumer } = await import('../src/index.ts');
  const binding = bind({
    topic: WORK,
    name: 'batches',
    options: { group: 'batches', batch: { records: 100, lingerMs: 20, parallel: 2 } },
    handle: async (records: { value: { n: number }; attempt: number }[]) => {
      sizes.push(records.length);
      return records.map(({ value, attempt }) => {
        if (value.n === 40_050 && attempt === 1) return retry('once', 1);
        seen.push(value.n);
        return done();
      });
    },
  });
  const consumer = new GroupConsumer(world.client('delivery'), binding, world.deadLetters(publisher));
  consumer.start();
  await publisher.publish(WORK, numbers(40_000, 41_000));
  await eventually('all handled', () => within(seen, 40_000, 41_000).length === 1_000);
  expect(within(seen, 40_000, 41_000).toSorted((a, b) => a - b)).toEqual(range(40_000, 41_000));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  expect(Math.max(...sizes)).toBeGreaterThan(50);
  await consumer.stop(1_000);
});

it('passes over records of the named types unread, commits them, and reads those of unknown ones', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  const options = { group: 'rare', passOver: ['frequent'] };
  const { numbers: seen, consumer } = collector(world, WORK, options);
  const typed = (n: number, type: string) => numbers(n, n + 1, 2).map((record) => ({ ...record, type }));
  await publisher.publish(WORK, [...typed(60_000, 'frequent'), ...typed(60_001, 'rare'), ...typed(60_002, 'frequent')]);
  await eventually('the rare one handled', () => seen().includes(60_001));
  const [end = 0] = await ends(2);
  await eventually('all of it committed', async () => {
    const partitions = await world.committed('delivery-rare', 'work');
    return Number(partitions.find(({ partition }) => partition === 2)?.offset) === end;
  });
  expect(within(seen(), 60_000, 60_003)).toEqual([60_001]);
  await consumer.stop(1_000);
});

async function ends(partition: number): Promise<number[]> {
  const admin = await world.client('ingest').admin();
  const offsets = await admin.fetchTopicOffsets(`${world.prefix}work`);
  return offsets.filter((each) => each.partition === partition).map(({ high }) => Number(high));
}
