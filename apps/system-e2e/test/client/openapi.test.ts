import { readFileSync } from 'node:fs';
import { basic, joinPlatform, until, type PlatformClient } from '@lethe/testing';
import { beforeAll, describe, expect, inject, it } from 'vitest';

interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, { security: Record<string, string[]>[] }>>;
}

let suite: PlatformClient;
let document: Document;

beforeAll(async () => {
  suite = await joinPlatform(inject('platform'), 'openapi');
  const response = await fetch(`${suite.platform.gateway}/openapi.json`);
  document = (await response.json()) as Document;
}, 120_000);

/** `GET /v3/{}/events`, whatever the parameters are called. */
const plain = (endpoint: string): string => endpoint.replaceAll(/\{\w+\}/g, '{}');
const served = (): string[] =>
  Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );

/** Somebody of the demo account; answers how they sign in: with the cookie of a session that is in force. */
async function newUser(): Promise<() => Promise<string>> {
  const { demo, platform } = suite;
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${platform.gateway}${path}`, { method: 'POST', headers, body: new URLSearchParams(fields) });
  const [email, password] = ['user@world.example', 'correct horse battery'];
  const invited = await post('/v1/users', { email, role: 'owner' }, { authorization: basic(demo.apiKey) });
  const { token } = (await invited.json()).invitation;
  expect((await post('/v1/users/invitation', { token, password })).status).toBe(200);
  return async () => {
    const response = await post('/v1/sessions', { email, password });
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const known = async () => (await fetch(`${platform.gateway}/v1/users/me`, { headers: { cookie } })).status === 200;
    expect(await until(known, 30_000)).toBe(true);
    return cookie;
  };
}

describe('what the running platform says of itself', () => {
  it('is what docs/mailgun-compatibility.md says, in both directions', () => {
    const page = readFileSync(new URL('../../../../docs/mailgun-compatibility.md', import.meta.url), 'utf8');
    const table = page.slice(page.indexOf('## Beside Mailgun'));
    const ours = [...table.matchAll(/^\| `([A-Z]+ [^`]+)` \|/gm)].map(([, endpoint = '']) => endpoint);
    const rows = [...page.matchAll(/^\| `([A-Z]+ [^`]+)` \| \w+ \| \*\*yes\*\* \| (?:also `\/(v\d)`)?/gm)];
    const mailguns = rows.flatMap(([, endpoint = '', also]) => [
      endpoint,
      ...(also ? [endpoint.replace(/\/v\d/, `/${also}`)] : []),
    ]);
    expect([...ours, ...mailguns].map(plain).toSorted()).toEqual(served().map(plain).toSorted());
    expect(document.openapi).toBe('3.1.1');
    expect(document.servers).toEqual([{ url: new URL(suite.platform.gateway).origin }]);
  });

  it('is true: every operation leads to somebody who knows it', async () => {
    const { demo, platform } = suite;
    const signIn = await newUser();
    const credentials = async (path: string, [needs]: Record<string, string[]>[]): Promise<Record<string, string>> => {
      // Anew each time: some of them end the session that calls.
      if (needs?.['session']) return { cookie: await signIn(), origin: new URL(platform.gateway).origin };
      if (needs?.['operator']) return { authorization: `Bearer ${platform.secrets.operatorToken}` };
      return { authorization: basic(path.startsWith('/v1/privacy') ? demo.privacyKey : demo.apiKey) };
    };
    // Whatever deletes comes last, and the domain last of all.
    const rank = (endpoint: string): number =>
      !endpoint.startsWith('DELETE') ? 0 : endpoint.endsWith('/domains/{name}') ? 2 : 1;
    const lost: string[] = [];
    for (const endpoint of served().toSorted((a, b) => rank(a) - rank(b))) {
      const [method = '', path = ''] = endpoint.split(' ');
      const known: Record<string, string> = { domain: demo.domain, name: demo.domain, file: 'swagger-ui.css' };
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? 'x');
      const security = document.paths[path]?.[method.toLowerCase()]?.security ?? [];
      const headers = await credentials(path, security);
      const response = await fetch(`${platform.gateway}${url}`, { method, headers });
      const text = await response.text();
      const unknown = response.status === 405 || (response.status === 404 && /"message":"Not found"/.test(text));
      if (unknown || [401, 403, 500, 503].includes(response.status))
        lost.push(`${endpoint}: ${response.status} ${text}`);
    }
    expect(lost).toEqual([]);
  });
});
