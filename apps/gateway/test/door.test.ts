import { readFileSync } from 'node:fs';
import { Clock, IdentityVerifier } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { basic, echo, startSetting, whenOpen } from './setting.ts';
import type { Setting } from './setting.ts';

interface Customer {
  id: string;
  key: string;
  privacyKey: string;
}

let setting: Setting;
let ana: Customer;
let ben: Customer;

const call = (path: string, authorization?: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${setting.gateway}${path}`, {
    ...init,
    headers: { ...(authorization ? { authorization } : {}), ...(init.headers as Record<string, string>) },
  });

const send = (domain: string, key: string, init: RequestInit = {}): Promise<Response> =>
  call(`/v3/${domain}/messages`, basic(key), { method: 'POST', body: new URLSearchParams({ to: 'x' }), ...init });

async function newCustomer(): Promise<Customer> {
  const response = await call('/v1/accounts', `Bearer ${setting.operatorToken}`, { method: 'POST' });
  expect(response.status).toBe(200);
  const answer = await response.json();
  return { id: answer.account.id, key: answer.api_key, privacyKey: answer.privacy_key };
}

const newDomain = (key: string, name: string): Promise<Response> =>
  call('/v4/domains', basic(key), { method: 'POST', body: new URLSearchParams({ name }) });

/** Milliseconds until a call is answered with 200. */
async function works(attempt: () => Promise<Response>): Promise<number> {
  const begin = performance.now();
  expect(await until(async () => (await attempt()).status === 200, 10_000, 20)).toBe(true);
  return performance.now() - begin;
}

beforeAll(async () => {
  setting = await startSetting(inject('stores'), { PUBLIC_REQUESTS: '20' });
  await whenOpen(setting.gateway);
  ana = await newCustomer();
  ben = await newCustomer();
});
afterAll(() => setting?.close());

describe('the way in', () => {
  it('lets a new key in within a second, and a new domain', async () => {
    const fresh = await newCustomer();
    expect(await works(() => call('/v4/domains', basic(fresh.key)))).toBeLessThan(1_000);
    await works(() => call('/v4/domains', basic(ana.key)));
    expect((await newDomain(ana.key, 'ana.example')).status).toBe(200);
    expect(await works(() => send('ana.example', ana.key))).toBeLessThan(1_000);
    expect((await send('ANA.Example', ana.key)).status).toBe(200);
  });

  it('knows a domain by its longest name', async () => {
    const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`;
    expect((await newDomain(ana.key, name)).status).toBe(200);
    await works(() => send(name, ana.key));
    expect((await call(`/v4/domains/${name}`, basic(ana.key))).status).toBe(200);
    expect((await call(`/v4/domains/${name}`, basic(ana.key), { method: 'DELETE' })).status).toBe(200);
    expect(await until(async () => (await send(name, ana.key)).status === 404, 1_000, 20)).toBe(true);
  });

  it.each([
    ['no credentials', undefined],
    ['an unknown key', basic('key-unknown')],
    ['another user than api', 'other'],
    ['an empty key', basic('')],
    ['no Base64', 'Basic %%%'],
    ['a wrong operator token', 'Bearer wrong'],
  ])('%s: 401 as JSON', async (_, authorization) => {
    const given = authorization === 'other' ? basic(ana.key, 'other') : authorization;
    const response = await call('/v4/domains', given);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect(await response.json()).toEqual({ message: 'Invalid private key' });
  });

  it("a stranger's domain is as unknown as none", async () => {
    await works(() => call('/v4/domains', basic(ben.key)));
    for (const name of ['ana.example', 'nobody.example', 'ana.example%2Fx', '%']) {
      const response = await send(name, ben.key);
      expect([400, 404]).toContain(response.status);
      expect(typeof (await response.json()).message).toBe('string');
    }
    expect(await (await send('ana.example', ben.key)).json()).toEqual({ message: 'Domain not found' });
  });

  it('a domain sending key serves its domain and nothing else', async () => {
    await newDomain(ana.key, 'other.example');
    const body = new URLSearchParams({ role: 'sending', domain_name: 'ana.example' });
    const made = await (await call('/v1/keys', basic(ana.key), { method: 'POST', body })).json();
    const { secret, id } = made.key;
    await works(() => send('ana.example', secret));
    await works(() => send('other.example', ana.key));
    expect((await send('other.example', secret)).status).toBe(403);
    expect((await call('/v3/ana.example/events', basic(secret))).status).toBe(403);
    expect((await call('/v4/domains', basic(secret))).status).toBe(403);
    expect((await call(`/v1/keys/${id}`, basic(ana.key), { method: 'DELETE' })).status).toBe(200);
    expect(await until(async () => (await send('ana.example', secret)).status === 401, 1_000, 20)).toBe(true);
  });

  it('serves no page of another site that has a browser send the key it remembers', async () => {
    const from = (site: string) => send('ana.example', ana.key, { headers: { 'sec-fetch-site': site } });
    for (const site of ['cross-site', 'same-site']) {
      const response = await from(site);
      expect(response.status).toBe(403);
      expect((await response.json()).message).toMatch(/^A page of another site asked for this/);
    }
    for (const site of ['same-origin', 'none']) expect((await from(site)).status).toBe(200);
    const read = await call('/v4/domains', basic(ana.key), { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(read.status).toBe(200);
  });

  it('keeps rights apart', async () => {
    expect((await call('/v4/domains', basic(ana.privacyKey))).status).toBe(403);
    expect((await call('/v1/privacy/requests', basic(ana.key))).status).toBe(403);
    expect((await call('/v1/accounts', basic(ana.key), { method: 'POST' })).status).toBe(403);
    expect((await call('/v4/domains', `Bearer ${setting.operatorToken}`)).status).toBe(403);
  });

  it('lets a parent act for its subaccount, and nobody else', async () => {
    const acting = (key: string, id: string) => ({
      headers: { authorization: basic(key), 'x-mailgun-on-behalf-of': id },
    });
    const body = new URLSearchParams({ name: 'Client' });
    const made = await call('/v5/accounts/subaccounts', basic(ana.key), { method: 'POST', body });
    expect(made.status).toBe(200);
    const { id } = (await made.json()).subaccount as { id: string };
    const post = (name: string, init: RequestInit) =>
      call('/v4/domains', undefined, { ...init, method: 'POST', body: new URLSearchParams({ name }) });
    await works(() => post('client.example', acting(ana.key, id)));
    // Its domain is its own: neither the parent's, nor anybody's who only says so.
    const sendFor = (domain: string, init: RequestInit) =>
      call(`/v3/${domain}/messages`, undefined, { ...init, method: 'POST', body: new URLSearchParams({ to: 'x' }) });
    setting.service.answer = echo;
    await works(() => sendFor('client.example', acting(ana.key, id)));
    const identity = /^Bearer (.*)$/.exec(setting.service.seen.at(-1)?.headers.authorization ?? '')?.[1] ?? '';
    const verifier = new IdentityVerifier(readFileSync(setting.publicKeyFile, 'utf8'), 'ingest', new Clock());
    expect(await verifier.verify(identity)).toMatchObject({ account: id });
    expect((await send('client.example', ana.key)).status).toBe(404);
    expect((await sendFor('ana.example', acting(ana.key, id))).status).toBe(404);
    for (const [key, wanted] of [
      [ben.key, id],
      [ana.key, ben.id],
      [ana.key, ana.id],
      [ana.key, 'nonsense'],
    ] as const) {
      const response = await call('/v4/domains', undefined, acting(key, wanted));
      expect([response.status, await response.json()]).toEqual([404, { message: 'Subaccount not found' }]);
    }
    const role = new URLSearchParams({ role: 'sending', domain_name: 'ana.example' });
    const { secret } = await (await call('/v1/keys', basic(ana.key), { method: 'POST', body: role })).json();
    await works(() => send('ana.example', secret));
    expect((await sendFor('client.example', acting(secret, id))).status).toBe(403);
  });

  it('leads to DKIM keys who may see the domains, with links to itself', async () => {
    const response = await call('/v1/dkim/keys?page=&limit=', basic(ana.key));
    expect(response.status).toBe(200);
    expect((await response.json()).paging.next).toMatch(/^https:\/\/mail\.example\.net\/v1\/dkim\/keys\?/);
    expect((await call('/v1/dkim/keys', basic(ana.privacyKey))).status).toBe(403);
  });

  it('leads to bounces who may see them, and who may change them', async () => {
    setting.service.answer = echo;
    setting.service.seen.length = 0;
    const made = await call('/v1/keys', basic(ana.key), {
      method: 'POST',
      body: new URLSearchParams({ role: 'basic' }),
    });
    const { secret } = (await made.json()) as { secret: string };
    const list = (key: string, init?: RequestInit) => call('/v3/ana.example/bounces', basic(key), init);
    await works(() => list(secret));
    expect((await list(secret, { method: 'DELETE' })).status).toBe(403);
    expect((await list(ana.privacyKey)).status).toBe(403);
    const one = '/v3/ana.example/bounces/bob%2Btag@x.example';
    expect((await call(one, basic(ana.key), { method: 'DELETE' })).status).toBe(200);
    expect(setting.service.seen.at(-1)).toMatchObject({ method: 'DELETE', url: one });
  });

  it('leads to stored messages who may read, and who may send besides: nobody with a sending or a basic key', async () => {
    setting.service.answer = echo;
    const key = async (fields: Record<string, string>): Promise<string> => {
      const body = new URLSearchParams(fields);
      const made = await call('/v1/keys', basic(ana.key), { method: 'POST', body });
      return ((await made.json()) as { secret: string }).secret;
    };
    const sending = await key({ role: 'sending', domain_name: 'ana.example' });
    const others = [await key({ role: 'basic' }), ana.privacyKey];
    await works(() => send('ana.example', sending));
    await works(() => call('/v4/domains', basic(others[0] ?? '')));
    const one = '/v3/domains/ana.example/messages/0193';
    const body = new URLSearchParams({ to: 'x' });
    const ways: [string, RequestInit][] = [
      [one, {}],
      [`${one}/attachments/0`, { method: 'HEAD' }],
      [`/v3/domains/ana.example/messages/${'x'.repeat(3_000)}`, {}],
      [one, { method: 'POST', body }],
      [one, { method: 'DELETE' }],
    ];
    for (const [path, init] of ways) {
      const reached = setting.service.seen.length;
      for (const who of [sending, ...others]) expect((await call(path, basic(who), init)).status).toBe(403);
      expect((await call(path, basic(ben.key), init)).status).toBe(404);
      expect(setting.service.seen).toHaveLength(reached);
      expect((await call(path, basic(ana.key), init)).status).toBe(200);
      expect(setting.service.seen.at(-1)).toMatchObject({ method: init.method ?? 'GET', url: path });
    }
  });

  it('leads to the queues of a domain who may see and change it, to empty them who may send and read, and to pauses the operator', async () => {
    setting.service.answer = echo;
    const made = await call('/v1/keys', basic(ana.key), {
      method: 'POST',
      body: new URLSearchParams({ role: 'sending', domain_name: 'ana.example' }),
    });
    const { secret } = (await made.json()) as { secret: string };
    await works(() => send('ana.example', secret));
    const operator = `Bearer ${setting.operatorToken}`;
    const ways: [string, RequestInit, string][] = [
      ['/v3/domains/ana.example/sending_queues', {}, basic(ana.key)],
      ['/v1/pauses/domains/ana.example', { method: 'PUT', body: new URLSearchParams() }, basic(ana.key)],
      ['/v3/ana.example/envelopes', { method: 'DELETE' }, basic(ana.key)],
      ['/v1/pauses', {}, operator],
      ['/v1/pauses/destinations/world.example', { method: 'PUT', body: new URLSearchParams() }, operator],
    ];
    for (const [path, init, who] of ways) {
      const reached = setting.service.seen.length;
      for (const other of [secret, ana.privacyKey]) expect((await call(path, basic(other), init)).status).toBe(403);
      if (who !== operator) expect((await call(path, basic(ben.key), init)).status).toBe(404);
      expect(setting.service.seen).toHaveLength(reached);
      expect((await call(path, who, init)).status).toBe(200);
      expect(setting.service.seen.at(-1)).toMatchObject({ method: init.method ?? 'GET', url: path });
    }
  });

  it('lets a key with the right order and read about people, and everybody read the public keys', async () => {
    setting.service.answer = echo;
    setting.service.seen.length = 0;
    const headers = { 'idempotency-key': 'once', 'content-type': 'application/json' };
    const order = { method: 'POST', headers, body: '{}' };
    expect((await call('/v1/privacy/requests', basic(ana.privacyKey), order)).status).toBe(200);
    expect(setting.service.seen.at(-1)?.headers['idempotency-key']).toBe('once');
    expect((await call('/v1/privacy/certificates/verify', basic(ana.privacyKey), order)).status).toBe(200);
    for (const key of [ana.key, undefined]) {
      const refused = await call('/v1/privacy/requests', key && basic(key), order);
      expect([401, 403]).toContain(refused.status);
    }
    expect((await call('/.well-known/jwks.json')).status).toBe(200);
    expect((await call('/.well-known/jwks.json', undefined, { method: 'POST', body: '' })).status).toBe(405);
    expect(setting.service.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/privacy/requests',
      'POST /v1/privacy/certificates/verify',
      'GET /.well-known/jwks.json',
    ]);
  });

  it.each(['/', '/v3', '/v9/x', '/v3/ana.example', '/v4/domains/../../v3/ana.example/events', '/health/x'])(
    '%s: 404 as JSON',
    async (path) => {
      const response = await raw(path, basic(ana.key));
      expect(response).toMatch(/^HTTP\/1\.1 404 /);
      expect(response).toContain('{"message":');
    },
  );

  it('names the field of a bad input', async () => {
    expect((await (await newDomain(ana.key, 'no domain')).json()).message).toMatch(/^name: /);
    const key = await call('/v1/keys', basic(ana.key), { method: 'POST', body: new URLSearchParams({ role: 'god' }) });
    expect(key.status).toBe(400);
    expect((await key.json()).message).toMatch(/^role: /);
    expect((await (await newDomain(ben.key, 'ana.example')).json()).message).toBe('This domain name is already taken');
  });
});

describe('what a service gets to see', () => {
  it('the identity the gateway vouches for, and nothing a client forged', async () => {
    setting.service.answer = echo;
    setting.service.seen.length = 0;
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-for': '192.0.2.9',
      identity: 'root',
      cookie: 'a=b',
    };
    const response = await send('ana.example', ana.key, { headers: forged });
    expect(response.status).toBe(200);
    const { headers } = setting.service.seen.at(-1)!;
    expect(headers).toMatchObject({ 'x-forwarded-host': 'mail.example.net', 'x-forwarded-proto': 'https' });
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers['x-request-id']).toBe(response.headers.get('x-request-id'));
    expect(JSON.stringify(headers)).not.toMatch(/evil|192\.0\.2\.9|cookie|root|Basic|key-/);
    const verifier = (name: string) =>
      new IdentityVerifier(readFileSync(setting.publicKeyFile, 'utf8'), name, new Clock());
    const token = String(headers.authorization).replace('Bearer ', '');
    const claims = await verifier('ingest').verify(token);
    expect(claims).toMatchObject({ account: ana.id, scopes: expect.arrayContaining(['messages:write']) });
    expect(claims?.domain).toBeDefined();
    expect(await verifier('accounts').verify(token)).toBeUndefined();
  });

  it('path and query as they came', async () => {
    await call('/v3/ana.example/events/a%2Fb?limit=1&recipient=a%2Bb%40c.d', basic(ana.key));
    expect(setting.service.seen.at(-1)?.url).toBe('/v3/ana.example/events/a%2Fb?limit=1&recipient=a%2Bb%40c.d');
  });
});

describe('what needs no key', () => {
  const keys = (authorization?: string, init?: RequestInit) => call('/.well-known/jwks.json', authorization, init);

  it('reaches its service as from nobody, whoever asks', async () => {
    const verifier = new IdentityVerifier(readFileSync(setting.publicKeyFile, 'utf8'), 'privacy', new Clock());
    for (const authorization of [undefined, basic(ana.key), basic('key-unknown'), 'Bearer forged']) {
      setting.service.seen.length = 0;
      expect((await keys(authorization)).status).toBe(200);
      expect(setting.service.seen.map(({ url }) => url)).toEqual(['/.well-known/jwks.json']);
      const token = String(setting.service.seen[0]?.headers.authorization).replace('Bearer ', '');
      expect(await verifier.verify(token)).toEqual({ account: 'nobody', scopes: [], keyId: 'nobody' });
    }
    expect((await call('/.well-known/other')).status).toBe(404);
  });

  it('is limited by address, which holds up no key', async () => {
    const statuses = new Set<number>();
    for (let asked = 0; asked < 21; asked += 1) statuses.add((await keys()).status);
    expect([...statuses]).toEqual([200, 429]);
    expect(Number((await keys()).headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call('/v4/domains', basic(ana.key))).status).toBe(200);
  });
});

describe('when accounts is silent', () => {
  it('answers 503 with Retry-After, to right and wrong keys, and opens again', async () => {
    setting.accounts.kill('SIGSTOP');
    expect(await until(async () => (await send('ana.example', ana.key)).status === 503, 15_000)).toBe(true);
    const response = await send('ana.example', 'key-unknown');
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call('/health')).status).toBe(503);
    // The two tables go stale one after the other.
    const missing = async () => (await (await call('/health')).json()).missing as string[];
    expect(await until(async () => (await missing()).includes('table-account-settings'), 5_000)).toBe(true);
    setting.accounts.kill('SIGCONT');
    await works(() => send('ana.example', ana.key));
  });
});

/** fetch would resolve dot segments before sending. */
async function raw(path: string, authorization: string): Promise<string> {
  const { connect } = await import('node:net');
  const { port } = new URL(setting.gateway);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), '127.0.0.1');
    socket
      .on('data', (chunk) => (text += chunk.toString()))
      .on('end', () => resolve(text))
      .on('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`);
  });
}
