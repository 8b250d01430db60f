import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collector } from './support/collector.ts';
import { build, startChild } from './support/child.ts';
import { eventually, kafkaWorld, numbers, work, type KafkaWorld } from './support/kafka-world.ts';

const WORK = work(2);
let world: KafkaWorld;

beforeAll(build);
describe.each([
  { name: 'between dispatch and commit', hang: ['all' as const], concurrency: 5 },
  { name: 'with one slow record among fast ones', hang: [7], concurrency: 20 },
])('kill -9 $name', ({ hang, concurrency }) => {
  beforeAll(async () => {
    world = await kafkaWorld([WORK]);
  });
  afterAll(() => world.close());

  it('what may have been in flight comes again, marked; what is done does not; the rest comes unmarked', async () => {
    const publisher = world.publisher('ingest', [WORK]);
    await publisher.publish(WORK, numbers(0, 100));
    const child = startChild({ prefix: world.prefix, topic: WORK, hang, concurrency });
    const all = hang.includes('all' as never);
    await eventually('the child is busy', () => child.started.length >= (all ? 5 : 100), 60_000);
    if (!all) {
      await eventually('what it did is durable', async () => (await world.durable('delivery-work', 'work')) === 99);
    }
    await child.kill9();
    const committed = await world.committed('delivery-work', 'work');

    const heir = collector(world, WORK, { claims: true });
    const left = 100 - child.done.length;
    await eventually('the rest is handed out', () => heir.handed.length >= left, 90_000);
    await heir.consumer.stop(1_000);

    const inFlight = child.started.map(({ n }) => n).filter((n) => !child.done.includes(n));
    const marked = heir.handed.filter(({ maybeDuplicate }) => maybeDuplicate).map(({ n }) => n);
    for (const n of inFlight) expect(marked).toContain(n);
    expect(heir.numbers()).toEqual(Array.from({ length: 100 }, (_, n) => n).filter((n) => !child.done.includes(n)));
    // Claimed ahead at most one handler's worth, however many were left.
    expect(marked.length).toBeLessThanOrEqual(2 * concurrency);
    expect(committed.length).toBe(2);
    if (all) expect(heir.handed.length).toBe(100);
    else
      expect(heir.handed).toEqual([{ n: 7, partition: heir.handed[0]?.partition, maybeDuplicate: true, attempt: 1 }]);
  }, 180_000);
});
