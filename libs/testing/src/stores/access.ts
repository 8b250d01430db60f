import { SERVICES, TOPICS } from '@lethe/contracts';
import type { Service, Topic } from '@lethe/contracts';
import kafkajs from 'kafkajs';
import type { AclEntry } from 'kafkajs';

// CommonJS: Node does not see these as named exports.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/**
 * The barrier of an erasure waits until every group has passed the ends of the topics, and the oldest record of each is measured:
 * `privacy` may look at the offsets of all, and at no record it is not a declared consumer of.
 */
const SEES_OFFSETS: Service = 'privacy';

/** What provisioning needs to know of a topic; every topic of libs/contracts is one. */
export type TopicAccess = Pick<Topic, 'name' | 'producers' | 'consumers' | 'deadLetter'>;

/**
 * Who may do what on topics, from their declarations and nothing else: producers write, consumers read and write the dead
 * letters of what they could not take. Nobody may create, alter or delete a topic.
 */
export function topicAcls(prefix: string, topics: readonly TopicAccess[] = TOPICS): AclEntry[] {
  return topics.flatMap(({ name, producers, consumers, deadLetter }) => [
    ...[name, ...(deadLetter === null ? [] : [deadLetter])].flatMap((each) =>
      allow(SEES_OFFSETS, 'TOPIC', prefix + each, ['DESCRIBE']),
    ),
    ...producers.flatMap((service) => allow(service, 'TOPIC', prefix + name, ['WRITE', 'DESCRIBE'])),
    ...consumers.flatMap((service) => [
      ...allow(service, 'TOPIC', prefix + name, ['READ', 'DESCRIBE']),
      ...(deadLetter === null ? [] : allow(service, 'TOPIC', prefix + deadLetter, ['WRITE', 'DESCRIBE'])),
    ]),
  ]);
}

/**
 * A service's groups and transactions are those whose id begins with its name (after the suite's prefix, in tests). How far
 * another service's group has come, only privacy may see.
 */
export function groupAcls(prefix: string): AclEntry[] {
  return SERVICES.flatMap((service) => [
    ...allow(service, 'GROUP', prefix + service, ['READ', 'DESCRIBE'], 'PREFIXED'),
    ...allow(SEES_OFFSETS, 'GROUP', prefix + service, ['DESCRIBE'], 'PREFIXED'),
    ...allow(service, 'TRANSACTIONAL_ID', prefix + service, ['WRITE', 'DESCRIBE'], 'PREFIXED'),
  ]);
}

function allow(
  service: Service,
  resource: 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID',
  resourceName: string,
  operations: readonly ('READ' | 'WRITE' | 'DESCRIBE')[],
  pattern: 'LITERAL' | 'PREFIXED' = 'LITERAL',
): AclEntry[] {
  return operations.map((operation) => ({
    principal: `User:${service}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    operation: AclOperationTypes[operation],
    resourceType: AclResourceTypes[resource],
    resourceName,
    resourcePatternType: ResourcePatternTypes[pattern],
  }));
}
