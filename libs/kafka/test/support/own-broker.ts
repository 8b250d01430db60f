import type { Topic } from '@lethe/contracts';
import { kafkaAdmin } from '@lethe/testing';

/** Topics on a broker that a suite started for itself. */
export function createOwnTopics(
  brokers: string[],
  admin: { username: string; password: string },
  topics: readonly Topic[],
): Promise<unknown> {
  return kafkaAdmin(
    brokers,
    admin,
  )((client) =>
    client.createTopics({
      waitForLeaders: true,
      topics: topics.flatMap(({ name, partitions, deadLetter }) => [
        { topic: name, numPartitions: partitions },
        ...(deadLetter === null ? [] : [{ topic: deadLetter, numPartitions: 1 }]),
      ]),
    }),
  );
}
