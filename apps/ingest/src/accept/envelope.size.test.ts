import { expect, it } from 'vitest';
import { envelopeOctets } from './envelope.size.ts';
import type { Submission } from './submission.ts';

const submission: Submission = {
  raw: Buffer.alloc(0),
  recipients: [{ address: 'a@b.example', normalForm: 'a@b.example', role: 'to' }],
  related: [],
  subject: 'Hello',
  messageIdHeader: 'id@mail.example',
  attachments: [],
  tags: [],
  variables: {},
  testMode: false,
  dkim: true,
  requireTls: false,
  method: 'http',
  keyId: 'k',
};
const attachment = { filename: 'x'.repeat(200), contentType: 'text/plain', size: 1 };

it('takes what a record can carry', () => {
  expect(envelopeOctets(submission)).toBeLessThan(200);
});

it('counts what each recipient has of their own', () => {
  const each = { address: 'a@b.example', normalForm: 'a@b.example', role: 'each' } as const;
  const recipients = [
    { ...each, variables: { key: 'x'.repeat(1_000) } },
    { ...each, variables: {} },
  ];
  const octets = envelopeOctets({ ...submission, recipients });
  expect(octets - 2 * envelopeOctets(submission)).toBe('{"key":""}{}'.length + 1_000);
  expect(envelopeOctets({ ...submission, recipients, subject: '%recipient.key%' }) - octets).toBeGreaterThan(980);
  const large = [{ ...each, variables: { key: 'x'.repeat(65_536) } }];
  expect(() => envelopeOctets({ ...submission, recipients: large })).toThrow(/larger than 65536 octets together/);
});

it.each([
  ['a subject without end', { subject: 'x'.repeat(600_000) }],
  ['thousands of attachments', { attachments: Array.from({ length: 3_000 }, () => attachment) }],
  ['variables that JSON makes six times as large', { variables: { a: '\u0001'.repeat(15_000) } }],
])('refuses %s with a 400', (_name, more) => {
  expect(() => envelopeOctets({ ...submission, ...more })).toThrow(/larger than 65536 octets together/);
});
