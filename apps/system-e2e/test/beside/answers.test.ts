import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { basic, form, OpenIdProvider, startSuitePlatform, until, type SuitePlatform } from '@lethe/testing';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { AnswerCheck, type Paths } from '../../support/answer-check.ts';

/** Each operation is called as somebody would who wants something of it, and what is answered is held against the document. */
let suite: SuitePlatform;
let check: AnswerCheck;
let provider: OpenIdProvider;
const folder = mkdtempSync(join(tmpdir(), 'lethe-answers-'));

beforeAll(async () => {
  provider = await new OpenIdProvider().start();
  const secret = join(folder, 'secret');
  writeFileSync(secret, provider.client.secret);
  suite = await startSuitePlatform({
    stores: inject('stores'),
    suite: `ans${Date.now().toString(36)}`,
    settings: {
      SANDBOX_ZONE: 'sandbox.lethe.example',
      REQUEST_HOLD_MS: '20000',
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: provider.client.id,
      OIDC_CLIENT_SECRET_FILE: secret,
    },
  });
  provider.serve(`${suite.platform.gateway}/sign-in`);
  const response = await fetch(`${suite.platform.gateway}/openapi.json`);
  check = new AnswerCheck(((await response.json()) as { paths: Paths }).paths);
}, 120_000);
afterAll(async () => {
  await suite?.stop();
  await provider?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Body = Record<string, any>;
type Fields = Readonly<Record<string, string | readonly string[]>>;
interface Call {
  readonly fields?: Fields;
  readonly json?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who calls, where it is not the account's key. */
  readonly as?: 'privacy' | 'operator';
  readonly cookie?: string;
}

/** Waits out what only says that somebody is busy, or has not heard of something yet. */
async function call(
  method: string,
  path: string,
  { fields, json, headers = {}, as, cookie }: Call = {},
): Promise<Body> {
  const { platform, demo } = suite;
  const key = as === 'privacy' ? demo.privacyKey : demo.apiKey;
  const authorization = as === 'operator' ? `Bearer ${platform.secrets.operatorToken}` : basic(key);
  const who = cookie ? { cookie, origin: new URL(platform.gateway).origin } : { authorization };
  let last = '';
  let body: Body = {};
  const answered = async (): Promise<boolean> => {
    const response = await fetch(`${platform.gateway}${path}`, {
      method,
      headers: { ...who, ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(fields ? { body: form(fields) } : json ? { body: JSON.stringify(json) } : {}),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    last = `${method} ${path}: ${response.status} ${text.slice(0, 300)}`;
    if (!response.ok) return false;
    body = JSON.parse(text) as Body;
    check.look(method, new URL(response.url).pathname, response.status, body);
    return true;
  };
  if (!(await until(answered, 120_000, 250))) throw new Error(last);
  return body;
}
const get = (path: string, more?: Call) => call('GET', path, more);
const post = (path: string, fields: Fields = {}, more: Call = {}) => call('POST', path, { fields, ...more });
const put = (path: string, fields: Fields = {}, more: Call = {}) => call('PUT', path, { fields, ...more });
const remove = (path: string, more?: Call) => call('DELETE', path, more);
/** What a link leads to, which is absolute. */
const followed = (link: string) => get(link.slice(new URL(link).origin.length));

/** A call that begins a session, or renews one: with its cookie. */
async function begun(
  method: string,
  path: string,
  fields: Readonly<Record<string, string>>,
  cookie = '',
): Promise<{ cookie: string; body: Body }> {
  const { gateway } = suite.platform;
  const headers = { cookie, origin: new URL(gateway).origin };
  const response = await fetch(gateway + path, { method, headers, body: new URLSearchParams(fields) });
  const body = (await response.json()) as Body;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${String(body['message'])}`);
  check.look(method, path, response.status, body);
  return { cookie: response.headers.getSetCookie()[0]?.split(';')[0] ?? '', body };
}

async function publish(record: Body): Promise<void> {
  const { record_type: type, name, value, priority } = record;
  const text = priority === undefined ? value : `${priority} ${value}`;
  await fetch(`${suite.world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value: text }) });
}

describe('what is answered is what the document says:', () => {
  it.each(['v3', 'v4'])('domains, at %s', async (version) => {
    const name = `${version}.answers.example`;
    const at = `/${version}/domains/${name}`;
    await post(`/${version}/domains`, { name });
    await get(`/${version}/domains`);
    await get(at);
    await put(at, { wildcard: 'yes', message_ttl: '86400' });
    await put(`${at}/web_prefix`, { web_prefix: 'links' });
    await get(`${at}/connection`);
    await put(`${at}/connection`, { require_tls: 'no' });
    await put(`${at}/tracking/open`, { active: 'yes' });
    await put(`${at}/tracking/click`, { active: 'htmlonly' });
    await put(`${at}/tracking/unsubscribe`, { active: 'no', text_footer: 'Bye' });
    await get(`${at}/tracking`);
    await post('/v1/dkim/keys', { signing_domain: name, selector: 'second' });
    const { items } = await get(`${at}/keys`);
    for (const { dns_record: record } of items as Body[]) await publish(record as Body);
    await put(`${at}/verify`);
    await put(`${at}/keys/second/activate`);
    await put(`${at}/keys/second/deactivate`);
    await put(`${at}/dkim_selector`, { dkim_selector: 'renamed' });
    await put(`${at}/dkim_authority`, { self: 'yes' });
    await post(`${at}/credentials`, { login: 'app' });
    await get(`${at}/credentials`);
    await put(`${at}/credentials/app`, { password: 'a-long-enough-password' });
    await remove(`${at}/credentials/app`);
    await post(`${at}/credentials`, { login: 'other', password: 'a-long-enough-password' });
    await remove(`${at}/credentials`);
    await get('/v1/dkim/keys?limit=1');
    await remove(`/v1/dkim/keys?signing_domain=${name}&selector=second`);
    await remove(at);
    expect(check.newFaults()).toEqual([]);
  });

  it('accounts, keys and settings', async () => {
    const { id } = await post('/v1/keys', { role: 'sending', description: 'An application' });
    await get('/v1/keys');
    await remove(`/v1/keys/${String(id)}`);
    await post('/v1/keys/public');
    await get('/v3/ips');
    await post('/v5/sandbox/auth_recipients', { email: 'ana@world.example' });
    await get('/v5/sandbox/auth_recipients');
    await remove('/v5/sandbox/auth_recipients/ana@world.example');
    const limit = '/v5/accounts/limit/custom/monthly';
    await put(`${limit}?limit=1000`);
    await get(limit);
    await remove(limit);
    for (const path of ['/v1/allowed_senders', `/v1/allowed_senders/${suite.demo.domain}`]) {
      await put(path, { sender: ['ana@answers.example', 'answers.example'] });
      await get(path);
      await remove(path);
    }
    const settings = '/v1/privacy/retention/settings';
    const as = 'privacy';
    await call('PUT', settings, { as, json: { bodies_days: 6, events_days: 14 } });
    await get(settings, { as });
    await call('PUT', `${settings}?domain=${suite.demo.domain}`, { as, json: { bodies_days: 7 } });
    await get(`${settings}?domain=${suite.demo.domain}`, { as });
    await get('/v1/privacy/retention', { as });
    const instructions = '/v1/privacy/retention/instructions';
    const [signed_at, valid_to] = [Date.now(), Date.now() + 86_400_000].map((at) => new Date(at).toISOString());
    const json = {
      bodies_days: 9,
      document_sha256: 'ab'.repeat(32),
      signed_by: 'Ana',
      signed_at,
      valid_from: signed_at,
      valid_to,
    };
    const written = { as: 'operator', json: { account: suite.demo.accountId, ...json } } as const;
    const { instruction } = await call('POST', instructions, written);
    await get(instructions, { as: 'operator' });
    await get(settings, { as });
    await post(`${instructions}/${String(instruction.id)}/end`, {}, { as: 'operator' });
    await get(instructions, { as: 'operator' });
    expect(check.newFaults()).toEqual([]);
  });

  it('users, and their sessions', async () => {
    const [email, password, better] = ['user@world.example', 'correct horse battery', 'a better battery than that'];
    const signIn = (phrase: string) => begun('POST', '/v1/sessions', { email, password: phrase });
    const { user, invitation } = await post('/v1/users', { email, role: 'owner' });
    await post('/v1/users/invitation', { token: String(invitation.token), password });
    const [first, second] = [await signIn(password), await signIn(password)];
    await get('/v1/users/me', { cookie: first.cookie });
    await get('/v1/sessions', { cookie: first.cookie });
    await put('/v1/sessions/current', {}, { cookie: first.cookie });
    await remove(`/v1/sessions/${String(second.body['session'].id)}`, { cookie: first.cookie });
    await put('/v1/users/me/password', { current_password: password, password: better }, { cookie: first.cookie });
    await remove('/v1/sessions/current', { cookie: (await signIn(better)).cookie });
    await remove('/v1/sessions', { cookie: (await signIn(better)).cookie });
    await get('/v1/users');
    const at = `/v1/users/${String(user.id)}`;
    await get(at);
    await put(at, { name: 'Ana', role: 'developer' });
    await remove(`${at}/sessions`);
    await post(`${at}/invitation`);
    await remove(at);
    expect(check.newFaults()).toEqual([]);
  });

  it('a second factor, and signing in at a provider', async () => {
    const [email, password] = ['both@world.example', 'correct horse battery'];
    const through = async ({ url, flow }: Body) =>
      begun('POST', '/v1/sessions/provider/answer', {
        flow: String(flow),
        query: await provider.signIn(String(url), 'somebody'),
      });
    const { user, invitation } = await post('/v1/users', { email, role: 'developer' });
    await post('/v1/users/invitation/provider', { token: String(invitation.token) });
    await post('/v1/users/invitation', { token: String(invitation.token), password });
    const { cookie: first } = await begun('POST', '/v1/sessions', { email, password });
    const { cookie: linked } = await through(
      await post('/v1/users/me/provider', { current_password: password }, { cookie: first }),
    );
    const { cookie } = await through(await post('/v1/sessions/provider'));
    await remove('/v1/users/me/provider', { cookie: linked });
    const { totp } = await post('/v1/users/me/totp', { current_password: password }, { cookie });
    const code = new TOTP({ secret: String(totp.secret) }).generate();
    const confirmed = await begun('PUT', '/v1/users/me/totp', { code }, cookie);
    const [recovery = ''] = confirmed.body['recovery_codes'] as string[];
    const removal = { current_password: password, code: recovery };
    await post('/v1/users/me/totp/removal', removal, { cookie: confirmed.cookie });
    await remove(`/v1/users/${String(user.id)}`);
    expect(check.newFaults()).toEqual([]);
  });

  it('subaccounts, and accounts as the operator sees them', async () => {
    const as = 'operator';
    const { subaccount } = await post('/v5/accounts/subaccounts', { name: 'Branch' });
    const at = `/v5/accounts/subaccounts/${String(subaccount.id)}`;
    await get('/v5/accounts/subaccounts');
    await get(at);
    await post(`${at}/disable`);
    await post(`${at}/enable`);
    await put(`${at}/limit/custom/monthly?limit=10`);
    await get(`${at}/limit/custom/monthly`);
    await remove(`${at}/limit/custom/monthly`);
    await remove('/v5/accounts/subaccounts', { headers: { 'x-mailgun-on-behalf-of': String(subaccount.id) } });
    const { account } = await post('/v1/accounts', {}, { as });
    const own = `/v1/accounts/${String(account.id)}`;
    await get('/v1/accounts', { as });
    await get(own, { as });
    await put(own, { day_limit: '5' }, { as });
    await remove(own, { as });
    await get(`${own}/closing`, { as });
    await get(`${own}/closing/certificate`, { as });
    expect(check.newFaults()).toEqual([]);
  });

  it('messages, their events, and what is stored of them', async () => {
    const { domain } = suite.demo;
    const to = 'ok+answers@world.example';
    const letter = { from: `Ana <ana@${domain}>`, to, subject: 'Hello', html: '<p>Hello.</p>', 'o:tag': 'first' };
    const file = { filename: 'a.txt', content: 'attached' };
    await post(`/v3/${domain}/messages`, { ...letter, 'v:order': '7', attachment: [] });
    const message = `From: ana@${domain}\r\nTo: ${to}\r\nSubject: Raw\r\nContent-Disposition: attachment; filename=${file.filename}\r\n\r\n${file.content}\r\n`;
    await post(`/v3/${domain}/messages.mime`, { to, message });
    await post(`/v3/${domain}/messages`, { ...letter, to: '550+answers@world.example' });
    let found: Body[] = [];
    const all = async (): Promise<boolean> => {
      const { items, paging } = await get(`/v3/${domain}/events?limit=300`);
      found = items as Body[];
      await followed(String(paging.next));
      return ['accepted', 'delivered', 'failed'].every((kind) => found.some(({ event }) => event === kind));
    };
    expect(await until(all, 60_000, 500)).toBe(true);
    const stored = new Set(found.map(({ storage }) => String(storage.url)));
    for (const url of stored) {
      await followed(url);
      const path = url.slice(new URL(url).origin.length);
      await get(path, { headers: { accept: 'message/rfc2822' } });
      await post(path, { to });
    }
    const [one = ''] = stored;
    await remove(one.slice(new URL(one).origin.length));
    await get(`/v3/domains/${domain}/sending_queues`);
    await remove(`/v3/${domain}/envelopes`);
    expect(check.newFaults()).toEqual([]);
  });

  it('templates', async () => {
    const at = `/v3/${suite.demo.domain}/templates`;
    await post(at, { name: 'welcome', description: 'First', template: 'Hello, {{name}}', tag: 'one' });
    await get(at);
    await get(`${at}?active=yes`);
    await get(`${at}/welcome`);
    await get(`${at}/welcome?active=yes`);
    await put(`${at}/welcome`, { description: 'Second' });
    const versions = `${at}/welcome/versions`;
    await post(versions, { tag: 'two', template: 'Hi', headers: '{"Subject": "Hi"}' });
    await get(versions);
    await get(`${versions}/two`);
    await put(`${versions}/two`, { template: 'Hi again' });
    await put(`${versions}/two/copy/three`);
    await remove(`${versions}/three`);
    await remove(`${at}/welcome`);
    await remove(at);
    expect(check.newFaults()).toEqual([]);
  });

  it('mailing lists', async () => {
    const address = `team@${suite.demo.domain}`;
    const at = `/v3/lists/${address}`;
    await post('/v3/lists', { address, name: 'Team' });
    await get('/v3/lists');
    await get('/v3/lists/pages');
    await get(at);
    await put(at, { description: 'Everybody' });
    await post(`${at}/members`, { address: 'ana@world.example', vars: '{"age": 5, "deep": {"er": [1]}}' });
    await get(`${at}/members`);
    await get(`${at}/members/pages`);
    await get(`${at}/members/ana@world.example`);
    await put(`${at}/members/ana@world.example`, { name: 'Ana' });
    await post(`${at}/members.json`, { members: '[{"address": "ben@world.example"}]' });
    await post(`${at}/members.csv`, { members: 'cleo@world.example\r\n' });
    await remove(`${at}/members/ana@world.example`);
    await remove(at);
    expect(check.newFaults()).toEqual([]);
  });

  it('bounces and pauses', async () => {
    const { domain, accountId } = suite.demo;
    const at = `/v3/${domain}/bounces`;
    await post(at, { address: 'full@world.example', error: 'No room' });
    await call('POST', at, { json: [{ address: 'gone@world.example' }] });
    await get(at);
    await get(`${at}/full@world.example`);
    await remove(`${at}/full@world.example`);
    await remove(at);
    const as = 'operator';
    await put(`/v1/pauses/domains/${domain}`);
    await get(`/v3/domains/${domain}/sending_queues`);
    await put(`/v1/pauses/accounts/${accountId}`, {}, { as });
    await put('/v1/pauses/destinations/elsewhere.example', {}, { as });
    await get('/v1/pauses', { as });
    await remove(`/v1/pauses/domains/${domain}`);
    await remove(`/v1/pauses/accounts/${accountId}`, { as });
    await remove('/v1/pauses/destinations/elsewhere.example', { as });
    expect(check.newFaults()).toEqual([]);
  });

  it('requests about people, and what everybody may ask', async () => {
    const as = 'privacy';
    const order = (address: string) => ({ as, json: { type: 'erasure', subjects: [{ address }] } }) as const;
    const { id: cancelled } = await call('POST', '/v1/privacy/requests', order('stays@world.example'));
    await remove(`/v1/privacy/requests/${String(cancelled)}`, { as });
    const { id } = await call('POST', '/v1/privacy/requests', order('ok+answers@world.example'));
    await get('/v1/privacy/requests', { as });
    const completed = async () => (await get(`/v1/privacy/requests/${String(id)}`, { as }))['state'] === 'completed';
    expect(await until(completed, 180_000, 1_000)).toBe(true);
    const { certificate } = await get(`/v1/privacy/requests/${String(id)}/certificate`, { as });
    await call('POST', '/v1/privacy/certificates/verify', { as, json: { certificate } });
    await call('POST', '/v1/privacy/certificates/verify', { as, json: { certificate: 'none' } });
    await get('/health');
    await get('/openapi.json');
    expect(check.newFaults()).toEqual([]);
  }, 300_000);

  it('of every operation that answers JSON', () => {
    const unseen = check.described.filter((endpoint) => !check.seen.has(endpoint));
    expect(unseen).toEqual([]);
    expect(check.seen.size).toBeGreaterThan(100);
  });
});
