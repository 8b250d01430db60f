import { TOPICS, topicConfig } from '@lethe/contracts';
import type { Topic } from '@lethe/contracts';
import kafkajs from 'kafkajs';
import type { AclEntry, Admin } from 'kafkajs';
import { groupAcls, topicAcls } from './access.ts';
import { kafkaAdmin } from './kafka-admin.ts';
import type { Credentials } from './kafka-admin.ts';
import { until } from './until.ts';

// CommonJS: Node does not see these as named exports.
const { AclOperationTypes, AclPermissionTypes } = kafkajs;

export type TopicDeclaration = Pick<
  Topic,
  'name' | 'producers' | 'consumers' | 'deadLetter' | 'partitions' | 'cleanup'
>;

/**
 * Creates the declared topics that do not exist yet, with their dead letters, and the ACLs that follow from them, all under
 * `prefix`. Safe to repeat.
 */
export async function provisionTopics(
  brokers: readonly string[],
  adminCredentials: Credentials,
  prefix = '',
  declared: readonly TopicDeclaration[] = TOPICS,
): Promise<void> {
  const topics = declared.flatMap((topic) => {
    const configEntries = settings(topic);
    const dead =
      topic.deadLetter === null ? [] : [{ topic: prefix + topic.deadLetter, numPartitions: 1, configEntries }];
    return [{ topic: prefix + topic.name, numPartitions: topic.partitions, configEntries }, ...dead];
  });
  await kafkaAdmin(
    brokers,
    adminCredentials,
  )(async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length > 0) {
      await admin.createTopics({ topics: missing, waitForLeaders: false });
      // kafkajs' own waiting fails where the broker does not know a topic yet, which happens while others are made or deleted.
      const names = missing.map(({ topic }) => topic);
      const led = await until(async () => {
        const { topics: made } = await admin.fetchTopicMetadata({ topics: names });
        return made.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
      }, 30_000);
      if (!led) throw new Error(`Kafka made no leaders for the topics under "${prefix}" within 30 s.`);
    }
    const acl = [...topicAcls(prefix, declared), ...groupAcls(prefix)];
    await admin.createAcls({ acl });
    // The controller answers before the broker goes by them; until then a service would be refused.
    for (const wanted of Map.groupBy(
      acl,
      ({ resourceType, resourceName }) => `${resourceType} ${resourceName}`,
    ).values()) {
      if (!(await until(() => isInForce(admin, wanted), 30_000, 10))) {
        throw new Error(`Kafka does not go by the access lists under "${prefix}" within 30 s.`);
      }
    }
  });
}

/** Whether the broker knows these entries, all of one resource. */
async function isInForce(admin: Admin, wanted: readonly AclEntry[]): Promise<boolean> {
  const [{ resourceType, resourceName, resourcePatternType } = {} as AclEntry] = wanted;
  const permissionType = AclPermissionTypes.ANY;
  const operation = AclOperationTypes.ANY;
  const filter = { resourceType, resourceName, resourcePatternType, permissionType, operation };
  const { resources } = await admin.describeAcls(filter);
  const known = resources.flatMap(({ acls }) => acls.map((acl) => `${acl.principal} ${acl.operation}`));
  return wanted.every(({ principal, operation: of }) => known.includes(`${principal} ${of}`));
}

function settings(topic: TopicDeclaration): { name: string; value: string }[] {
  return Object.entries(topicConfig(topic as Topic)).map(([name, value]) => ({ name, value }));
}
