import { expect, it } from 'vitest';
import { readCredentials } from './credentials.ts';
import { pageOrigin } from './page-origin.ts';

const OWN = 'https://mail.example.net';

it.each([
  [{}, 'unknown'],
  [{ origin: OWN }, 'own'],
  [{ 'sec-fetch-site': 'same-origin' }, 'own'],
  [{ origin: OWN, 'sec-fetch-site': 'same-origin' }, 'own'],
  [{ origin: 'null' }, 'foreign'],
  [{ origin: 'https://mail.example.net.evil.example' }, 'foreign'],
  [{ origin: 'http://mail.example.net' }, 'foreign'],
  [{ origin: OWN, 'sec-fetch-site': 'cross-site' }, 'foreign'],
  [{ 'sec-fetch-site': 'same-site' }, 'foreign'],
  [{ 'sec-fetch-site': 'none' }, 'foreign'],
] as const)('%j is %s', (headers, whose) => expect(pageOrigin(headers, OWN)).toBe(whose));

const TOKEN = 'a'.repeat(43);

it.each([
  [{ cookie: `__Host-lethe-session=${TOKEN}` }, 'session'],
  [{ cookie: `a=b; __Host-lethe-session=${TOKEN}; c=d` }, 'session'],
  [{ cookie: `__Host-lethe-session=${TOKEN}; __Host-lethe-session=${'b'.repeat(43)}` }, undefined],
  [{ cookie: `x__Host-lethe-session=${TOKEN}` }, undefined],
  [{ cookie: `__Host-lethe-session=${TOKEN}a` }, undefined],
  [{ cookie: `lethe-session=${TOKEN}` }, undefined],
  [{ cookie: `__Host-lethe-session=${TOKEN}`, authorization: 'nothing' }, undefined],
  [{ cookie: `__Host-lethe-session=${TOKEN}`, authorization: 'Bearer x' }, 'token'],
])('%j are credentials of the kind %s', (headers, kind) => expect(readCredentials(headers)?.kind).toBe(kind));
