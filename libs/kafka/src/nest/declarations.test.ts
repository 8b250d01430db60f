import { DOMAIN_SETTINGS, MAIL_ACCEPTED, MAIL_EVENTS } from '@lethe/contracts';
import { expect, it } from 'vitest';
import { checkDeclarations } from './declarations.ts';

const handler = { topic: MAIL_ACCEPTED, group: 'mail-accepted', name: 'Dispatch.handle' };
const delivery = { name: 'delivery', consumes: [MAIL_ACCEPTED], produces: [MAIL_EVENTS] } as const;

it('accepts what fits', () => {
  expect(() => checkDeclarations({ ...delivery, tables: [DOMAIN_SETTINGS] }, [handler])).not.toThrow();
});

it.each([
  ['a missing handler', delivery, [], /mail-accepted has no handler: mark a method with @Consume/],
  [
    'a doubled handler',
    delivery,
    [handler, { ...handler, name: 'Other.take' }],
    /two handlers in group mail-accepted, Dispatch\.handle and Other\.take/,
  ],
  [
    'an unknown handler',
    delivery,
    [handler, { ...handler, topic: MAIL_EVENTS, name: 'X.y' }],
    /X\.y handles mail-events, which is not declared: add it to "consumes"/,
  ],
  [
    'a foreign producer',
    { ...delivery, produces: [MAIL_ACCEPTED] },
    [handler],
    /mail-accepted names no producer "delivery"/,
  ],
  [
    'a foreign consumer',
    { name: 'gateway', tables: [MAIL_EVENTS] } as const,
    [],
    /mail-events names no consumer "gateway"/,
  ],
  [
    'a table without compaction',
    { name: 'delivery', tables: [MAIL_ACCEPTED] } as const,
    [],
    /mail-accepted is not compacted/,
  ],
  [
    'a spill method that is not there',
    delivery,
    [{ ...handler, missingSpill: 'park' }],
    /Dispatch\.handle names the spill method "park"/,
  ],
])('refuses %s by name', (_, declared, found, message) => {
  expect(() => checkDeclarations(declared, found)).toThrow(message);
});

it('tells all differences at once', () => {
  const check = () => checkDeclarations({ ...delivery, produces: [MAIL_ACCEPTED] }, []);
  expect(check).toThrow(/has no handler/);
  expect(check).toThrow(/names no producer/);
});
