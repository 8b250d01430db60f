import type { Envelope, MailEvent, Person } from '@lethe/contracts';
import { describe, expect, it } from 'vitest';
import { eventDocument } from './event.document.ts';
import { withoutSubjects } from './event.people.ts';

const envelope: Envelope = {
  address: 'rita@x.example',
  name: 'Rita',
  subject: 'Hello',
  messageIdHeader: 'id@x.example',
  bodyHash: 'x',
  attachments: [],
  tags: ['a'],
  variables: { a: 1 },
};

/** The same person twice, the same address under two subjects, names that need quoting, and none. */
const others: ReadonlyArray<{ role: MailEvent['related'][number]['role']; subject: string } & Person> = [
  { role: 'from', subject: 'ann', address: 'ann@y.example', name: 'Ann, "A"' },
  { role: 'reply-to', subject: 'ann', address: 'ann@y.example' },
  { role: 'sender', subject: 'bob', address: 'bob@y.example', name: 'Bob' },
  { role: 'to', subject: 'cem', address: 'cem@z.example', name: 'Cem' },
  { role: 'to', subject: 'dee', address: 'rita@x.example' },
  { role: 'cc', subject: 'bob', address: 'bob@y.example' },
  { role: 'cc', subject: 'eva', address: 'eva@z.example' },
];

const event: MailEvent = {
  id: 'event',
  at: 1,
  accountId: 'account',
  domainId: 'domain',
  messageId: 'message',
  ordinal: 0,
  period: { class: 'e30', bucket: '2026112500' },
  size: 1,
  testMode: false,
  recipient: { subject: 'rita', role: 'to', envelope: '' },
  related: others.map(({ role, subject }) => ({ role, subject, person: '' })),
  type: 'failed',
  severity: 'permanent',
  reason: 'bounce',
  noSuchMailbox: false,
  deliveryStatus: { code: 550, attempt: 1, sessionSeconds: 1, tls: true, maybeDuplicate: false },
};

const reply = { text: 'no such user', mxHost: 'mx.x.example' };
const indexed = (gone: ReadonlySet<string>) =>
  eventDocument({ event, envelope, reply, related: others.map((one) => (gone.has(one.subject) ? null : one)) });

describe('a document without some of its people', () => {
  const mentioned = ['ann', 'bob', 'cem', 'dee', 'eva'];
  const subsets = Array.from({ length: 2 ** mentioned.length }, (_, bits) =>
    mentioned.filter((_name, position) => (bits >> position) % 2 === 1),
  );

  it.each(subsets.map((gone) => [gone.join(' ') || 'nobody', gone] as const))(
    'is what indexing makes once the keys of %s are gone',
    (_, gone) => {
      const ids = new Set(gone);
      expect(withoutSubjects(indexed(new Set()), ids)).toEqual(indexed(ids));
    },
  );

  it('names none of them, and everybody else as before', () => {
    const left = withoutSubjects(indexed(new Set()), new Set(['ann', 'cem']));
    expect(JSON.stringify(left)).not.toMatch(/ann|Ann|cem|Cem/);
    expect(left).toMatchObject({
      from: '',
      to: 'Rita <rita@x.example>, rita@x.example',
      recipients: ['rita@x.example', 'bob@y.example', 'eva@z.example'],
      subjects: ['rita', 'bob', 'dee', 'eva'],
    });
  });

  it('is no document where the recipient is one of them', () => {
    expect(() => withoutSubjects(indexed(new Set()), new Set(['rita']))).toThrow(TypeError);
  });

  it('keeps what Elasticsearch added', () => {
    const document = { ...indexed(new Set()), '@timestamp': 1 };
    expect(withoutSubjects(document, new Set(['bob']))).toMatchObject({ '@timestamp': 1 });
  });
});
