import { expect, it } from 'vitest';
import { envelopeOctets } from './envelope.size.ts';
import type { Submission } from './submission.ts';

const submission: Submission = {
  raw: Buffer.alloc(0),
  recipients: [],
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

it.each([
  ['a subject without end', { subject: 'x'.repeat(600_000) }],
  ['thousands of attachments', { attachments: Array.from({ length: 3_000 }, () => attachment) }],
  ['variables that JSON makes six times as large', { variables: { a: '\u0001'.repeat(15_000) } }],
])('refuses %s with a 400', (_name, more) => {
  expect(() => envelopeOctets({ ...submission, ...more })).toThrow(/larger than 65536 octets together/);
});
