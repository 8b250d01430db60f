import { TOPICS } from '@lethe/contracts';
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

it('never lets a service create, alter or delete', () => {
  const allowed = new Set([Operation.READ, Operation.WRITE, Operation.DESCRIBE]);
  const others = [...topicAcls('p-'), ...groupAcls('p-')].filter((acl) => !allowed.has(acl.operation));
  expect(others).toEqual([]);
});
