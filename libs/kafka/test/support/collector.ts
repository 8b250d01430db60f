import type { Topic } from '@lethe/contracts';
import { bind, done, GroupConsumer, type ConsumedRecord, type ConsumeOptions, type Outcome } from '../../src/index.ts';
import type { KafkaWorld, Work } from './kafka-world.ts';

export interface Collected {
  n: number;
  partition: number;
  maybeDuplicate: boolean;
  attempt: number;
}

/** A consumer of the suite that remembers what it was handed, and whose handling a test can hold up. */
export function collector(
  world: KafkaWorld,
  topic: Topic & Work,
  options: ConsumeOptions & {
    handle?: (record: ConsumedRecord<Work>) => Promise<Outcome>;
    spill?: (record: ConsumedRecord<Work>) => Promise<boolean>;
  } = {},
) {
  const { handle = async () => done(), spill, ...consume } = options;
  const handed: Collected[] = [];
  const binding = bind({
    topic,
    name: 'Collector.handle',
    options: consume,
    handle: async (record: ConsumedRecord<Work>) => {
      const { partition, maybeDuplicate, attempt } = record;
      handed.push({ n: record.value.n, partition, maybeDuplicate, attempt });
      return handle(record);
    },
    spill,
  });
  const letters = world.deadLetters(world.publisher('delivery', []));
  const consumer = new GroupConsumer(world.client('delivery'), binding, letters);
  consumer.start();
  return { handed, consumer, numbers: () => handed.map(({ n }) => n).toSorted((a, b) => a - b) };
}

/** A promise and what resolves it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
