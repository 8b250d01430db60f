import { SERVICES, TOPICS } from '@lethe/contracts';
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { groupAcls, topicAcls } from './access.ts';

const { AclOperationTypes: Operation } = kafkajs;
const byName = (a: string, b: string) => a.localeCompare(b);

it('lets exactly the declared producers write and the declared consumers read', () => {
  const acls = topicAcls('');
  const who = (topic: string, operation: kafkajs.AclOperationTypes) =>
    acls
      .filter((acl) => acl.resourceName === topic && acl.operation === operation)
      .map((acl) => acl.principal.replace('User:', ''))
      .toSorted(byName);
  for (const topic of TOPICS) {
    expect(who(topic.name, Operation.WRITE)).toEqual(topic.producers.toSorted(byName));
    expect(who(topic.name, Operation.READ)).toEqual(topic.consumers.toSorted(byName));
    expect(who(topic.deadLetter, Operation.WRITE)).toEqual(topic.consumers.toSorted(byName));
    expect(who(topic.deadLetter, Operation.READ)).toEqual([]);
  }
});

it('lets privacy see the offsets of every topic and group, and nobody else those of another service', () => {
  const describing = (acls: kafkajs.AclEntry[], name: string) =>
    acls
      .filter((acl) => acl.resourceName === name && acl.operation === Operation.DESCRIBE)
      .map((acl) => acl.principal.replace('User:', ''));
  for (const { name, producers, consumers } of TOPICS) {
    expect(new Set(describing(topicAcls(''), name))).toEqual(new Set([...producers, ...consumers, 'privacy']));
  }
  const groups = groupAcls('').filter(({ resourceType }) => resourceType === kafkajs.AclResourceTypes.GROUP);
  for (const service of SERVICES) {
    expect(new Set(describing(groups, service))).toEqual(new Set([service, 'privacy']));
    expect(groups.filter((acl) => acl.resourceName === service && acl.operation === Operation.READ)).toHaveLength(1);
  }
});

it('never lets a service create, alter or delete', () => {
  const allowed = new Set([Operation.READ, Operation.WRITE, Operation.DESCRIBE]);
  const others = [...topicAcls('p-'), ...groupAcls('p-')].filter((acl) => !allowed.has(acl.operation));
  expect(others).toEqual([]);
});
