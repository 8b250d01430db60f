import { TOPICS } from '@lethe/contracts';
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { groupAcls, topicAcls } from './access.ts';

const { AclOperationTypes: Operation } = kafkajs;

it('lets exactly the declared producers write and the declared consumers read', () => {
  const acls = topicAcls('');
  const who = (topic: string, operation: number) =>
    acls
      .filter((acl) => acl.resourceName === topic && acl.operation === operation)
      .map((acl) => acl.principal.replace('User:', ''))
      .toSorted();
  for (const topic of TOPICS) {
    expect(who(topic.name, Operation.WRITE)).toEqual(topic.producers.toSorted());
    expect(who(topic.name, Operation.READ)).toEqual(topic.consumers.toSorted());
    expect(who(topic.deadLetter, Operation.WRITE)).toEqual(topic.consumers.toSorted());
    expect(who(topic.deadLetter, Operation.READ)).toEqual([]);
  }
});

it('never lets a service create, alter or delete', () => {
  const allowed = new Set<number>([Operation.READ, Operation.WRITE, Operation.DESCRIBE]);
  const others = [...topicAcls('p-'), ...groupAcls('p-')].filter((acl) => !allowed.has(acl.operation));
  expect(others).toEqual([]);
});
