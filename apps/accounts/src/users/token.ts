import { createHash, randomBytes } from 'node:crypto';

/** SHA-256 (hex). Plain, because nobody can guess 256 bits. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** 256 random bits, told once, and the hash that is kept. */
export function newToken(): { token: string; hash: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashOf(token) };
}
