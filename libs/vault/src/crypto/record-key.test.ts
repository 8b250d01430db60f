import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { countSeal, deriveRecordKey, MAX_SEALS_PER_KEY_AND_PROCESS } from './record-key.ts';

const secrets = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));
const [subject, account, period] = secrets as [Buffer, Buffer, Buffer];
const bytesOf = (owner: 'subject' | 'account', of: Buffer[]): string =>
  deriveRecordKey(owner, of).key.export().toString('hex');

it('is HKDF-SHA-256 (RFC 5869) over subject ‖ account ‖ period', () => {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(Buffer.concat(secrets)).digest();
  const expanded = createHmac('sha256', extracted).update('lethe/record-key/v1/subject\x01').digest('hex');
  expect(bytesOf('subject', secrets)).toBe(expanded);
});

it('is another with each secret, owner and period, and leaves the secrets as they are', () => {
  const keys = [
    bytesOf('subject', secrets),
    bytesOf('subject', [account, subject, period]),
    bytesOf('subject', [subject, account]),
    bytesOf('account', [account, period]),
    bytesOf('subject', [account, period]),
    bytesOf('account', [account]),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(secrets).toEqual([1, 2, 3].map((byte) => Buffer.alloc(32, byte)));
});

it('stops sealing at its share of 2^28', () => {
  const key = { ...deriveRecordKey('subject', secrets), seals: MAX_SEALS_PER_KEY_AND_PROCESS - 1 };
  expect(() => countSeal(key)).not.toThrow();
  expect(() => countSeal(key)).toThrow('more records than is safe');
});
