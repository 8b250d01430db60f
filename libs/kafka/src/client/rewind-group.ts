import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '@lethe/service';
import type { Topic } from '@lethe/contracts';
import type { KafkaClient } from './kafka-client.ts';

/** A member that was killed is missed after its session timeout. */
const GONE_WITHIN_MS = 20_000;
const POLL_MS = 500;

/**
 * Lets the service's group of this topic begin again with what the broker still has. Answers how many records that is. No member
 * may run: its commits would undo it.
 * Throws StartupError while one does.
 */
export async function rewindGroup(client: KafkaClient, topic: Topic, group = topic.name): Promise<number> {
  const [groupId, name] = [client.groupName(group), client.topicName(topic)];
  const admin = await client.admin();
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const { groups } = await admin.describeGroups([groupId]);
    if (groups.every(({ state }) => state === 'Empty' || state === 'Dead')) break;
    if (performance.now() > deadline) {
      throw new StartupError(`The service ${client.service} is running. Stop all its instances, then try again.`);
    }
    await sleep(POLL_MS);
  }
  const offsets = await admin.fetchTopicOffsets(name);
  const partitions = offsets.map(({ partition, low }) => ({ partition, offset: low }));
  await admin.setOffsets({ groupId, topic: name, partitions });
  return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
}
