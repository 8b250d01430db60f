import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a request shows: a secret's SHA-256 (hex). The secret itself goes no further than this file. */
export type Credentials = { kind: 'key' | 'token' | 'session'; hash: string };

/** As accounts sets it (`session-cookie.ts` there). */
export const SESSION_COOKIE = '__Host-lethe-session';
const SESSION = new RegExp(`(?:^|; *)${SESSION_COOKIE}=([\\w-]{43})(?=;|$)`, 'g');

/**
 * An API key as HTTP Basic (RFC 7617) with user `api`, an operator's token as Bearer (RFC 6750), or a user's session as a cookie. Who
 * says `Authorization` means it, whatever cookies their program adds.
 */
export function readCredentials({ authorization, cookie }: IncomingHttpHeaders): Credentials | undefined {
  if (authorization === undefined) return readSession(cookie);
  const [, scheme, value] = /^(basic|bearer) +(\S+) *$/i.exec(authorization) ?? [];
  if (!scheme || !value) return undefined;
  if (scheme.toLowerCase() === 'bearer') return { kind: 'token', hash: sha256(value) };
  const [user, ...password] = Buffer.from(value, 'base64').toString('utf8').split(':');
  const key = password.join(':');
  return user === 'api' && key !== '' ? { kind: 'key', hash: sha256(key) } : undefined;
}

/** Of two nobody can say which is the right one. */
function readSession(cookie = ''): Credentials | undefined {
  const [first, second] = [...cookie.matchAll(SESSION)];
  const token = second === undefined ? first?.[1] : undefined;
  return token === undefined ? undefined : { kind: 'session', hash: sha256(token) };
}

const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('hex');
