import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Clock, createLog, createService, IdentityVerifier } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { basic, echo, GATEWAY, startSetting, whenOpen } from './setting.ts';
import type { Setting } from './setting.ts';

const ORIGIN = 'https://mail.example.net';
const IDLE_MS = 16_000;
const PASSWORD = 'correct horse battery';
let setting: Setting;
let key: string;
let privacyKey: string;

const call = (method: string, path: string, headers: Record<string, string> = {}, fields?: Record<string, string>) =>
  fetch(`${setting.gateway}${path}`, {
    method,
    headers,
    redirect: 'manual',
    ...(fields ? { body: new URLSearchParams(fields) } : {}),
  });
const asOperator = () => ({ authorization: `Bearer ${setting.operatorToken}` });
const cookieOf = (response: Response) => response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
const signIn = (email: string, headers: Record<string, string> = {}) =>
  call('POST', '/v1/sessions', headers, { email, password: PASSWORD });

/** Somebody who has signed in, whom the gateway knows; their id. */
async function newUser(email: string, role: string, inviter: Record<string, string> = { authorization: basic(key) }) {
  const { user, invitation } = await (await call('POST', '/v1/users', inviter, { email, role })).json();
  expect((await call('POST', '/v1/users/invitation', {}, { token: invitation.token, password: PASSWORD })).status).toBe(
    200,
  );
  const cookie = cookieOf(await signIn(email));
  await works(cookie);
  return { id: user.id as string, cookie };
}

/** Who may give it. */
function inviterOf(role: string): Record<string, string> {
  if (['admin', 'support_staff', 'dpo'].includes(role)) return asOperator();
  return { authorization: basic(role === 'privacy_officer' ? privacyKey : key) };
}

async function works(cookie: string): Promise<void> {
  const known = async () => (await call('GET', '/v1/users/me', { cookie })).status === 200;
  expect(await until(known, 30_000, 20)).toBe(true);
}
/** How long it took, in ms. */
async function ends(cookie: string): Promise<number> {
  const begun = Date.now();
  const ended = async () => (await call('GET', '/v1/users/me', { cookie })).status === 401;
  expect(await until(ended, 30_000, 20)).toBe(true);
  return Date.now() - begun;
}

beforeAll(async () => {
  setting = await startSetting(
    inject('stores'),
    { PUBLIC_REQUESTS: '1000', FAILED_LOGINS: '500' },
    createLog({ service: 'gateway', level: 'silent' }),
    { SESSION_IDLE_MS: String(IDLE_MS), OPERATOR_SECOND_FACTOR: 'optional' },
  );
  await whenOpen(setting.gateway);
  const made = await (await call('POST', '/v1/accounts', asOperator())).json();
  [key, privacyKey] = [made.api_key, made.privacy_key];
  await call('POST', '/v4/domains', { authorization: basic(key) }, { name: 'ana.example' });
});
afterAll(() => setting?.close());
beforeEach(() => {
  setting.service.answer = echo;
  setting.service.seen.length = 0;
});

describe('a session at the door', () => {
  it('is the same identity as a key, with the rights of its role', async () => {
    const { cookie } = await newUser('dora@world.example', 'developer');
    const send = () => call('POST', '/v3/ana.example/messages', { cookie, origin: ORIGIN }, { to: 'x' });
    expect(await until(async () => (await send()).status === 200, 30_000)).toBe(true);
    const { headers } = setting.service.seen.at(-1)!;
    const identity = /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const verifier = new IdentityVerifier(readFileSync(setting.publicKeyFile, 'utf8'), 'ingest', new Clock());
    const claims = await verifier.verify(identity);
    expect(claims?.scopes).toEqual(expect.arrayContaining(['messages:write', 'session']));
    expect(headers['cookie']).toBeUndefined();
    const forbidden = await call('GET', '/v1/keys', { cookie });
    expect([forbidden.status, await forbidden.json()]).toEqual([
      403,
      { message: 'The role of this user may not do that' },
    ]);
    expect((await call('GET', '/v1/privacy/requests', { cookie })).status).toBe(403);
    expect((await call('GET', '/v1/accounts', { cookie })).status).toBe(403);
    // Whoever says Authorization means it: a key takes no rights from a cookie beside it, nor does a cookie from a wrong key.
    expect((await call('GET', '/v1/keys', { cookie, authorization: basic(key) })).status).toBe(200);
    expect((await call('GET', '/v1/users/me', { cookie, authorization: basic('key-wrong') })).status).toBe(401);
    expect((await call('GET', '/v1/users/me', { authorization: basic(key) })).status).toBe(403);
  });

  it.each([
    ['owner', ['events', 'send', 'stored', 'suppress', 'keys', 'users', 'invite']],
    ['developer', ['events', 'send', 'stored', 'suppress']],
    ['analyst', ['events']],
    ['support', ['events', 'stored', 'suppress']],
    ['privacy_officer', ['keys', 'users', 'invite', 'requests', 'erase']],
    ['admin', ['users', 'invite', 'accounts', 'closing', 'account']],
    ['support_staff', ['accounts', 'closing']],
    ['dpo', ['users', 'accounts', 'closing']],
  ])('of the role %s gets no further than its rights', async (role, allowed) => {
    const { cookie } = await newUser(`${role}@roles.example`, role, inviterOf(role));
    const calls: Record<string, [string, string]> = {
      events: ['GET', '/v3/ana.example/events'],
      send: ['POST', '/v3/ana.example/messages'],
      stored: ['GET', '/v3/domains/ana.example/messages/x'],
      suppress: ['DELETE', '/v3/ana.example/bounces/x'],
      keys: ['GET', '/v1/keys'],
      users: ['GET', '/v1/users'],
      invite: ['POST', '/v1/users'],
      requests: ['GET', '/v1/privacy/requests'],
      erase: ['POST', '/v1/privacy/requests'],
      accounts: ['GET', '/v1/accounts'],
      closing: ['GET', '/v1/accounts/x/closing'],
      account: ['PUT', '/v1/accounts/x'],
    };
    const open: string[] = [];
    for (const [name, [method, path]] of Object.entries(calls)) {
      if ((await call(method, path, { cookie, origin: ORIGIN })).status !== 403) open.push(name);
    }
    expect(open).toEqual(allowed);
  });

  it('changes nothing on the word of another site’s page', async () => {
    const { cookie } = await newUser('csrf@world.example', 'owner');
    const write = (headers: Record<string, string>) =>
      call('POST', '/v1/keys', { cookie, ...headers }, { role: 'basic' });
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `${ORIGIN}.evil.example` },
      { 'sec-fetch-site': 'cross-site' },
      { origin: ORIGIN, 'sec-fetch-site': 'same-site' },
    ] as Record<string, string>[]) {
      expect((await write(headers)).status, JSON.stringify(headers)).toBe(403);
    }
    expect((await write({ origin: ORIGIN, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect((await write({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    // Nor is anybody signed in by one, as somebody else.
    expect((await signIn('csrf@world.example', { origin: 'https://evil.example' })).status).toBe(403);
    // A program with a key is no page.
    const program = { authorization: basic(key), origin: 'https://evil.example' };
    expect((await call('POST', '/v1/keys', program, { role: 'basic' })).status).toBe(200);
  });

  it('ends everywhere within a second', async () => {
    const { cookie } = await newUser('out@world.example', 'analyst');
    const out = await call('DELETE', '/v1/sessions/current', { cookie, origin: ORIGIN });
    expect([out.status, cookieOf(out)]).toEqual([200, '__Host-lethe-session=']);
    const took = [await ends(cookie)];
    const removed = await newUser('gone@world.example', 'analyst');
    expect((await call('DELETE', `/v1/users/${removed.id}`, { authorization: basic(key) })).status).toBe(200);
    took.push(await ends(removed.cookie));
    const lowered = await newUser('low@world.example', 'owner');
    await call('PUT', `/v1/users/${lowered.id}`, { authorization: basic(key) }, { role: 'analyst' });
    took.push(await ends(lowered.cookie));
    // Of three, so that one stall of the machine says nothing.
    expect(Math.min(...took)).toBeLessThan(1_000);
    const again = await call('GET', '/v1/users/me', { cookie: lowered.cookie });
    expect(again.headers.get('www-authenticate')).toBeNull();
    expect(await again.json()).toEqual({ message: 'The session has ended: sign in again' });
  });

  it('lives on while it is used, and ends when it is not', async () => {
    const { cookie } = await newUser('idle@world.example', 'analyst');
    const begun = Date.now();
    const used = async () => {
      expect((await call('GET', '/v1/users/me', { cookie })).status).toBe(200);
      return Date.now() > begun + IDLE_MS + 2_000;
    };
    expect(await until(used, 2 * IDLE_MS, 500)).toBe(true);
    const left = Date.now();
    await until(() => Date.now() > left + IDLE_MS, 2 * IDLE_MS);
    expect((await call('GET', '/v1/users/me', { cookie })).status).toBe(401);
  });

  it('that began long ago orders nothing about people, and lets nobody in', async () => {
    const officer = await newUser('officer@world.example', 'privacy_officer', { authorization: basic(privacyKey) });
    const { app } = await createService(GATEWAY, {
      environment: { ...setting.environment, RECENT_SIGN_IN_MS: '1' },
      log: createLog({ service: 'gateway', level: 'silent' }),
    });
    try {
      await app.listen(0, '127.0.0.1');
      const late = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
      const said = async (gateway: string, method: string, path: string, headers: Record<string, string>) => {
        const response = await fetch(`${gateway}${path}`, { method, headers: { origin: ORIGIN, ...headers } });
        return response.status === 403 ? (await response.json()).message : response.status;
      };
      const { cookie } = officer;
      expect(await until(async () => (await said(late, 'GET', '/v1/users/me', { cookie })) === 200, 30_000)).toBe(true);
      expect(await said(late, 'GET', '/v1/privacy/requests', { cookie })).toBe(200);
      for (const path of ['/v1/privacy/requests', '/v1/keys', '/v1/users']) {
        expect(await said(late, 'POST', path, { cookie })).toBe('This takes a recent sign-in: sign in again');
        expect(await said(setting.gateway, 'POST', path, { cookie })).not.toBe(
          'This takes a recent sign-in: sign in again',
        );
      }
      expect(await said(late, 'POST', '/v1/privacy/requests', { authorization: basic(privacyKey) })).toBe(200);
    } finally {
      await app.close();
    }
  });

  it('of a suspended account reads, as its keys do', async () => {
    const made = await (await call('POST', '/v1/accounts', asOperator())).json();
    const { cookie } = await newUser('susp@world.example', 'analyst', { authorization: basic(made.api_key) });
    await call('PUT', `/v1/accounts/${made.account.id}`, asOperator(), { state: 'suspended' });
    expect((await call('GET', '/v4/domains', { cookie })).status).toBe(200);
  });

  it('of whoever runs the platform leads to accounts, and to nobody’s mail', async () => {
    const { cookie } = await newUser('root@lethe.example', 'admin', asOperator());
    expect((await call('GET', '/v1/accounts', { cookie })).status).toBe(200);
    expect((await call('POST', '/v1/accounts', { cookie, origin: ORIGIN })).status).toBe(200);
    for (const path of [
      '/v3/ana.example/events',
      '/v4/domains',
      '/v1/privacy/requests',
      '/v3/domains/ana.example/messages/x',
    ]) {
      expect((await call('GET', path, { cookie })).status, path).toBe(403);
    }
    const staff = await newUser('staff@lethe.example', 'support_staff', asOperator());
    expect((await call('GET', '/v1/accounts', { cookie: staff.cookie })).status).toBe(200);
    expect((await call('POST', '/v1/accounts', { cookie: staff.cookie, origin: ORIGIN })).status).toBe(403);
  });
});
