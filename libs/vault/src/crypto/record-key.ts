import { createSecretKey, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/**
 * NIST SP 800-38D §8.3 allows 2^32 seals per key with random IVs; the platform stays at 2^28. A key is one subject (or
 * account) and one bucket of at most a day, so the bound is 3,100 records a second about one person, all day, in every
 * process together. Each process counts while it holds the key and stops at its share for 64 processes.
 */
export const MAX_SEALS_PER_KEY_AND_PROCESS = 2 ** 28 / 64;

const NO_SALT = Buffer.alloc(0);
const INFO = {
  subject: Buffer.from('lethe/record-key/v1/subject'),
  account: Buffer.from('lethe/record-key/v1/account'),
};

/** A derived AES-256 key and how often this process sealed with it. */
export interface RecordKey {
  readonly key: KeyObject;
  seals: number;
}

/**
 * HKDF-SHA-256 (RFC 5869) over the secrets in the order subject ‖ account ‖ period, each 32 random bytes, so the input is
 * uniform and needs no salt (§3.1). The info string keeps keys of accounts apart from keys of subjects; the number of
 * secrets tells a period's key from a standing one.
 */
export function deriveRecordKey(owner: 'subject' | 'account', secrets: Buffer[]): RecordKey {
  const input = Buffer.concat(secrets);
  // As a KeyObject: Node finds out by an exception that a buffer is none, which takes longer than the HKDF itself.
  const derived = Buffer.from(hkdfSync('sha256', createSecretKey(input), NO_SALT, INFO[owner], 32));
  const key = createSecretKey(derived);
  input.fill(0);
  derived.fill(0);
  return { key, seals: 0 };
}

export function countSeal(key: RecordKey): void {
  key.seals += 1;
  if (key.seals > MAX_SEALS_PER_KEY_AND_PROCESS) {
    throw new Error('One record key sealed more records than is safe; shorten the bucket of its class');
  }
}
