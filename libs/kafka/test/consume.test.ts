import { afterAll, beforeAll, expect, it } from 'vitest';
import { bind, done, GroupConsumer, type ConsumedRecord, type Outcome } from '../src/index.ts';
import { eventually, kafkaWorld, numbers, work, type KafkaWorld, type Work } from './support/kafka-world.ts';

const WORK = work(4);
let world: KafkaWorld;

beforeAll(async () => {
  world = await kafkaWorld([WORK]);
});
afterAll(() => world.close());

it('hands every published record to the handler once, and commits what is done', async () => {
  const publisher = world.publisher('ingest', [WORK]);
  const seen: number[] = [];
  const handle = async (record: ConsumedRecord<Work>): Promise<Outcome> => {
    expect(record.maybeDuplicate).toBe(false);
    expect(record.id).toBe(`id-${record.value.n}`);
    seen.push(record.value.n);
    return done();
  };
  const binding = bind({ topic: WORK, name: 'test', options: { claims: true, concurrency: 50 }, handle });
  const consumer = new GroupConsumer(world.client('delivery'), binding, world.deadLetters(publisher));
  consumer.start();
  const began = performance.now();
  await Promise.all(Array.from({ length: 100 }, (_, at) => publisher.publish(WORK, numbers(at * 20, at * 20 + 20))));
  console.log('published', performance.now() - began);
  await eventually('all handled', () => seen.length >= 2_000);
  console.log('handled', performance.now() - began);
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
  await consumer.stop(1_000);
  const committed = await world.committed('delivery-work', 'work');
  console.log(committed);
  expect(committed.reduce((sum, { offset }) => sum + Number(offset), 0)).toBe(2_000);
});
