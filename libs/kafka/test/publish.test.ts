import { afterAll, beforeAll, expect, it } from 'vitest';
import { OverloadedError } from '@lethe/service';
import { NotPublishableError, PublishUncertainError } from '../src/index.ts';
import { kafkaWorld, numbers, work, type KafkaWorld } from './support/kafka-world.ts';

const WORK = work(4);
let world: KafkaWorld;
beforeAll(async () => {
  world = await kafkaWorld([WORK]);
});
afterAll(() => world.close());

it('shares produce calls between concurrent callers, and each hears of its own records', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  await publisher.publish(WORK, numbers(0, 1));
  const timed = async (work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const oneByOne = await timed(async () => {
    for (let n = 1; n <= 100; n += 1) await publisher.publish(WORK, numbers(n, n + 1));
  });
  const together = await timed(() =>
    Promise.all(Array.from({ length: 1_900 }, (_, n) => publisher.publish(WORK, numbers(n + 101, n + 102)))),
  );
  // Nineteen times the records; a call each would take nineteen times as long.
  expect(together).toBeLessThan(oneByOne * 6);
  const written = (await world.read('work')).map(({ value }) => (JSON.parse(String(value)) as { n: number }).n);
  expect(written.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2_001 }, (_, n) => n));
});

it('splits what is too large for one call', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  const word = 'x'.repeat(100_000);
  const large = numbers(50_000, 50_040, 0).map((record) => ({
    ...record,
    value: { ...record.value, inner: { word } },
  }));
  await publisher.publish(WORK, large);
  await expect(
    publisher.publish(
      WORK,
      numbers(0, 1).map((record) => ({ ...record, value: { n: 0, inner: { word: word.repeat(6) } } })),
    ),
  ).rejects.toThrow(NotPublishableError);
});

it('refuses topics it did not declare, and records that break the contract, before anything is sent', async () => {
  const foreign = world.publisher('delivery', []).publish(WORK, numbers(0, 1));
  await expect(foreign).rejects.toThrow(/delivery does not publish work/);
  const publisher = world.publisher('ingest', [WORK]);
  const [good] = numbers(60_000, 60_001);
  const broken = { ...numbers(60_001, 60_002)[0], value: { n: 'one' } };
  await expect(publisher.publish(WORK, [good, broken] as never)).rejects.toThrow(/work does not fit its contract at n/);
});

it('is bounded in records: over it nothing is taken', async () => {
  const publisher = world.publisher('ingest', [WORK], { KAFKA_PUBLISH_QUEUE_RECORDS: '10' });
  const first = publisher.publish(WORK, numbers(70_000, 70_008));
  await expect(publisher.publish(WORK, numbers(70_008, 70_011))).rejects.toThrow(OverloadedError);
  await first;
  await publisher.publish(WORK, numbers(70_008, 70_011));
});

it('says "uncertain" when the broker does not answer within the bound', async () => {
  const publisher = world.publisher('ingest', [WORK], { KAFKA_BROKERS: '127.0.0.1:9' });
  const began = performance.now();
  await expect(publisher.publish(WORK, numbers(0, 1), 500)).rejects.toThrow(PublishUncertainError);
  expect(performance.now() - began).toBeLessThan(5_000);
});
