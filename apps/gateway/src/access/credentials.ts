import { createHash } from 'node:crypto';

/** What the Authorization header carries: a secret's SHA-256 (hex). The secret itself goes no further than this file. */
export type Credentials = { kind: 'key' | 'token'; hash: string };

/** An API key as HTTP Basic (RFC 7617) with user `api`, or an operator's token as Bearer (RFC 6750). */
export function readCredentials(header: string | undefined): Credentials | undefined {
  const [, scheme, value] = /^(basic|bearer) +(\S+) *$/i.exec(header ?? '') ?? [];
  if (!scheme || !value) return undefined;
  if (scheme.toLowerCase() === 'bearer') return { kind: 'token', hash: sha256(value) };
  const [user, ...password] = Buffer.from(value, 'base64').toString('utf8').split(':');
  const key = password.join(':');
  return user === 'api' && key !== '' ? { kind: 'key', hash: sha256(key) } : undefined;
}

const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('hex');
