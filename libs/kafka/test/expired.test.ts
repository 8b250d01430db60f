import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { kafkaAdmin } from '@lethe/testing';
import { collector } from './support/collector.ts';
import { eventually, kafkaWorld, numbers, work, type KafkaWorld } from './support/kafka-world.ts';

const WORK = work(1);
let world: KafkaWorld;
beforeAll(async () => {
  world = await kafkaWorld([WORK]);
});
afterAll(() => world.close());

it('goes on behind what the broker deleted before it was read', async () => {
  const { kafka } = inject('stores');
  const publisher = world.publisher('ingest', [WORK]);
  await publisher.publish(WORK, numbers(0, 10, 0));
  const first = collector(world, WORK, { claims: true });
  await eventually('the first ten', () => first.handed.length === 10);
  await first.consumer.stop(1_000);

  await publisher.publish(WORK, numbers(10, 100, 0));
  const topic = `${world.prefix}work`;
  await kafkaAdmin(
    kafka.brokers,
    kafka.admin,
  )(async (admin) => {
    // kafkajs needs the topic's metadata before it can delete from it.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '50' }] });
  });
  const second = collector(world, WORK, { claims: true });
  await eventually('what is left', () => second.handed.length >= 50, 30_000);
  await publisher.publish(WORK, numbers(100, 101, 0));
  await eventually('and what follows', () => second.numbers().includes(100));
  expect(second.numbers()).toEqual(Array.from({ length: 51 }, (_, index) => 50 + index));
  await second.consumer.stop(1_000);
  const [committed] = await world.committed('delivery-work', 'work');
  expect(committed?.offset).toBe('101');
});
