import { createHash, randomBytes } from 'node:crypto';

/** An API key: 256 random bits. Shown once; only its hash and what lets people tell keys apart are kept. */
export interface KeySecret {
  secret: string;
  /** SHA-256 (hex) of the whole key. Plain, because nobody can guess 256 bits; a slow hash would only slow the door. */
  hash: string;
  /** First and last characters, for lists. */
  hint: string;
}

/** `prefix` says to people what it is. */
export function newKeySecret(prefix: 'key' | 'pubkey' = 'key'): KeySecret {
  const secret = `${prefix}-${randomBytes(32).toString('hex')}`;
  return {
    secret,
    hash: createHash('sha256').update(secret).digest('hex'),
    hint: `${secret.slice(0, 8)}…${secret.slice(-4)}`,
  };
}
