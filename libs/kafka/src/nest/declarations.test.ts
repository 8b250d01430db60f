import { DOMAIN_SETTINGS, MAIL_ACCEPTED, MAIL_EVENTS, PRIVACY_COMMANDS } from '@lethe/contracts';
import { expect, it } from 'vitest';
import { checkDeclarations } from './declarations.ts';

const handler = { topic: MAIL_ACCEPTED, group: 'mail-accepted', name: 'Dispatch.handle' };
const holder = { topic: PRIVACY_COMMANDS, group: 'privacy-commands', name: 'HolderConsumer.handle' };
const delivery = { name: 'delivery', consumes: [MAIL_ACCEPTED, PRIVACY_COMMANDS], produces: [MAIL_EVENTS] } as const;

it('accepts what fits', () => {
  expect(() => checkDeclarations({ ...delivery, tables: [DOMAIN_SETTINGS] }, [handler, holder])).not.toThrow();
});

it.each([
  ['a missing handler', delivery, [holder], /mail-accepted has no handler: mark a method with @Consume/],
  [
    'a doubled handler',
    delivery,
    [holder, handler, { ...handler, name: 'Other.take' }],
    /two handlers in group mail-accepted, Dispatch\.handle and Other\.take/,
  ],
  [
    'an unknown handler',
    delivery,
    [holder, handler, { ...handler, topic: MAIL_EVENTS, name: 'X.y' }],
    /X\.y handles mail-events, which is not declared: add it to "consumes"/,
  ],
  [
    'a foreign producer',
    { ...delivery, produces: [MAIL_ACCEPTED] },
    [holder, handler],
    /mail-accepted names no producer "delivery"/,
  ],
  [
    'a foreign consumer',
    { name: 'gateway', tables: [MAIL_EVENTS] } as const,
    [],
    /mail-events names no consumer "gateway"/,
  ],
  [
    'a holder of personal data that does not answer',
    { ...delivery, consumes: [MAIL_ACCEPTED] },
    [handler],
    /delivery does not answer privacy-commands, and it may hold personal data: import PrivacyHolderModule\.forService/,
  ],
  ['a holder without its handler', delivery, [handler], /privacy-commands has no handler/],
  [
    'a table without compaction',
    { ...delivery, tables: [MAIL_ACCEPTED] },
    [handler, holder],
    /mail-accepted is not compacted/,
  ],
  [
    'a spill method that is not there',
    delivery,
    [holder, { ...handler, missingSpill: 'park' }],
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
