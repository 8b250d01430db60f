import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { DkimKey } from '@lethe/contracts';
import { assertNoDrift, Database } from '@lethe/database';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ROLES } from '../src/keys/roles.ts';
import { OPERATOR, startSetting } from './setting.ts';
import type { Setting, Who } from './setting.ts';

let setting: Setting;
let ana: Who & { key: string; privacyKey: string };
let ben: Who;

const database = () => setting.app.get(Database);
const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean | Promise<boolean>) =>
  expect(await until(condition, 5_000, 20)).toBe(true);

async function newAccount() {
  const { status, body } = await setting.call(OPERATOR, 'POST', '/v1/accounts');
  if (status !== 200) throw new Error(`no account: ${status}`);
  const { account, api_key: key, privacy_key: privacyKey } = body;
  return { account: account.id as string, scopes: [...ROLES.admin], key, privacyKey };
}

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  ana = await newAccount();
  ben = await newAccount();
});
afterAll(() => setting?.close());

describe('accounts and keys', () => {
  it('the migrated schema is what the entities say', () => assertNoDrift(database().dataSource));

  it('only an operator makes accounts', async () => {
    expect((await setting.call(ana, 'POST', '/v1/accounts')).status).toBe(403);
  });

  it('publishes the hash and the rights of each key, and keeps no key', async () => {
    await soon(() => setting.accounts.get(ana.account) !== undefined);
    const { state, keys } = setting.accounts.get(ana.account)!;
    expect(state).toBe('active');
    const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
    expect(keys.find(({ hash }) => hash === sha256(ana.key))?.scopes).toEqual(ROLES.admin);
    expect(keys.find(({ hash }) => hash === sha256(ana.privacyKey))?.scopes).toEqual(ROLES.privacy);
    expect(ana.key).toMatch(/^key-[0-9a-f]{64}$/);
    const rows = JSON.stringify((await database().pool.query('SELECT * FROM api_key')).rows);
    expect(rows).toContain(sha256(ana.key));
    expect(rows).not.toContain(ana.key.slice(8, 40));
    const { rows: waiting } = await database().pool.query<{ text: string }>('SELECT records::text AS text FROM outbox');
    expect(JSON.stringify(waiting)).not.toContain(ana.key.slice(8, 40));
  });

  it('makes, lists and revokes keys; none gives rights it does not have', async () => {
    const { status, body } = await setting.call(ana, 'POST', '/v1/keys', form({ role: 'basic', expiration: '3600' }));
    expect(status).toBe(200);
    expect(body['key']).toMatchObject({ id: body['id'], secret: body['secret'], role: 'basic', kind: 'user' });
    const list = (await setting.call(ana, 'GET', '/v1/keys')).body;
    expect(list['total_count']).toBe(3);
    expect(list['items'].at(-1)).toMatchObject({
      id: body['id'],
      hint: `${body['secret'].slice(0, 8)}…${body['secret'].slice(-4)}`,
    });
    expect(list['items'].at(-1).expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    expect((await setting.call(ben, 'DELETE', `/v1/keys/${body['id']}`)).status).toBe(404);
    expect((await setting.call(ana, 'DELETE', `/v1/keys/${body['id']}`)).status).toBe(200);
    await soon(() => setting.accounts.get(ana.account)?.keys.length === 2);
    expect((await setting.call(ana, 'POST', '/v1/keys', form({ role: 'privacy' }))).status).toBe(403);
    const developer = { ...ana, scopes: [...ROLES.developer, 'keys:write'] };
    expect((await setting.call(developer, 'POST', '/v1/keys', form({ role: 'admin' }))).status).toBe(403);
  });

  it('changes of one account keep nobody else’s waiting, however many they are', async () => {
    const busy = await newAccount();
    const holder = await database().pool.connect();
    await holder.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [busy.account]);
    const many = Array.from({ length: 12 }, () => setting.call(busy, 'POST', '/v1/keys', form({ role: 'basic' })));
    try {
      // Both replicas.
      for (let nth = 0; nth < 2; nth += 1) {
        const own = setting.call(ana, 'POST', '/v1/keys/public').then(({ status }) => status);
        const timer = new Promise((resolve) => setTimeout(resolve, 5_000, 'waits'));
        expect(await Promise.race([own, timer])).toBe(200);
      }
    } finally {
      await holder.query('SELECT pg_advisory_unlock_all()');
      holder.release();
    }
    expect(new Set((await Promise.all(many)).map(({ status }) => status))).toEqual(new Set([200]));
    for (const { id, role } of (await setting.call(ana, 'GET', '/v1/keys')).body['items']) {
      if (role === 'public') await setting.call(ana, 'DELETE', `/v1/keys/${id}`);
    }
  });

  it('an older state left in the outbox never follows a newer one', async () => {
    const { body } = await setting.call(ana, 'POST', '/v1/keys', form({ role: 'basic' }));
    await soon(() => setting.accounts.get(ana.account)!.keys.some(({ id }) => id === body['id']));
    const stale = setting.accounts.get(ana.account);
    const headers = {
      ce_specversion: '1.0',
      ce_id: 'a',
      ce_type: 'settings',
      ce_source: 'accounts',
      ce_time: '2026-01-01T00:00:00Z',
    };
    const record = { topic: 'account-settings', key: ana.account, value: JSON.stringify(stale), headers };
    await database().pool.query(`INSERT INTO outbox (records, created_at) VALUES ($1, now() + interval '1 second')`, [
      JSON.stringify([record]),
    ]);
    expect((await setting.call(ana, 'DELETE', `/v1/keys/${body['id']}`)).status).toBe(200);
    await soon(() => setting.accounts.get(ana.account)!.keys.every(({ id }) => id !== body['id']));
    // Longer than the relay waits for the row above.
    const cameBack = () => setting.accounts.get(ana.account)!.keys.some(({ id }) => id === body['id']);
    expect(await until(cameBack, 5_000)).toBe(false);
  });
});

describe('many changes at once, in two replicas', () => {
  it('end in the topic as they end in the database', async () => {
    const made = await Promise.all(
      Array.from({ length: 12 }, () => setting.call(ben, 'POST', '/v1/keys', form({ role: 'basic' }))),
    );
    await Promise.all(
      made.flatMap(({ body }, index) => [
        setting.call(ben, 'POST', '/v1/keys', form({ role: 'basic' })),
        ...(index % 2 === 0 ? [setting.call(ben, 'DELETE', `/v1/keys/${body['id']}`)] : []),
      ]),
    );
    const { rows } = await database().pool.query<{ id: string }>('SELECT id FROM api_key WHERE account_id = $1', [
      ben.account,
    ]);
    expect(rows).toHaveLength(2 + 12 + 12 - 6);
    const ids = (keys: { id: string }[]) => keys.map(({ id }) => id).sort();
    const published = () => ids(setting.accounts.get(ben.account)?.keys ?? []);
    await soon(() => published().join() === ids(rows).join());
  });
});

describe('domains', () => {
  it.each([
    ['urlencoded', 'v3', form({ name: 'Form.Example' }), 'form.example'],
    ['JSON', 'v4', { name: 'json.example' }, 'json.example'],
    ['multipart', 'v4', multipart({ name: 'bücher.example', dkim_selector: 'S1' }), 'xn--bcher-kva.example'],
  ])('are made from %s, with a DKIM key only the account can open', async (_, version, body, name) => {
    const made = await setting.call(ana, 'POST', `/${version}/domains`, body);
    expect(made.status).toBe(200);
    expect(made.body['domain']).toMatchObject({ name, state: 'unverified', type: 'custom', is_disabled: false });
    const { id } = made.body['domain'] as { id: string };
    const [record] = made.body['sending_dns_records'];
    expect(record).toMatchObject({ record_type: 'TXT', valid: 'unknown', is_active: false });
    await soon(() => setting.domains.get(id) !== undefined);
    const published = setting.domains.get(id)!;
    expect(published).toMatchObject({
      accountId: ana.account,
      name,
      state: 'unverified',
      bodiesDays: 7,
      eventsDays: 30,
    });
    expect(record.name).toBe(`${published.dkim!.selector}._domainkey.${name}`);
    const expected = { account: ana.account, type: 'dkim-key', recordId: id };
    const { privateKey } = await setting.vault.openForAccount<DkimKey>(published.dkim!.privateKey, expected);
    const publicKey = createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'der' });
    expect(record.value).toBe(`v=DKIM1; k=rsa; p=${publicKey.toString('base64')}`);
    expect((await setting.call(ana, 'GET', `/v3/domains/${encodeURIComponent(name)}`)).body['domain'].id).toBe(id);
    const { rows } = await database().pool.query('SELECT * FROM domain WHERE id = $1', [id]);
    expect(JSON.stringify(rows)).not.toContain('PRIVATE KEY');
  });

  it('belong to one account', async () => {
    await setting.call(ana, 'POST', '/v4/domains', form({ name: 'one.example' }));
    const taken = await setting.call(ben, 'POST', '/v4/domains', form({ name: 'ONE.example' }));
    expect(taken).toEqual({ status: 400, body: { message: 'This domain name is already taken' } });
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', '/verify'],
      ['DELETE', ''],
    ] as const) {
      const answer = await setting.call(ben, method, `/v4/domains/one.example${path}`);
      expect(answer).toEqual({ status: 404, body: { message: 'Domain not found' } });
    }
    expect((await setting.call(ben, 'GET', '/v4/domains')).body).toEqual({ total_count: 0, items: [] });
    const page = (await setting.call(ana, 'GET', '/v4/domains?limit=1&skip=1')).body;
    expect(page['items']).toHaveLength(1);
    expect(page['total_count']).toBeGreaterThan(1);
  });

  it('may send once their key is in the DNS', async () => {
    const made = await setting.call(ana, 'POST', '/v4/domains', form({ name: 'verified.example' }));
    const [record] = made.body['sending_dns_records'];
    const verify = async () => (await setting.call(ana, 'PUT', '/v4/domains/verified.example/verify')).body;
    expect((await verify())['sending_dns_records'][0].valid).toBe('invalid');
    const register = (value: string) =>
      fetch(`${setting.world.http}/dns`, {
        method: 'PUT',
        body: JSON.stringify({ name: record.name, type: 'TXT', value }),
      });
    expect((await register(record.value.replace('p=M', 'p=N'))).status).toBe(200);
    expect((await verify())['domain'].state).toBe('unverified');
    await register(record.value);
    const verified = await verify();
    expect(verified['domain'].state).toBe('active');
    expect(verified['sending_dns_records'][0]).toMatchObject({ valid: 'valid', is_active: true });
    await soon(() => setting.domains.get(verified['domain'].id)?.state === 'active');
  });

  it('take their keys with them', async () => {
    const made = await setting.call(ana, 'POST', '/v4/domains', form({ name: 'gone.example' }));
    const { id } = made.body['domain'] as { id: string };
    const key = await setting.call(ana, 'POST', '/v1/keys', form({ role: 'sending', domain_name: 'gone.example' }));
    await soon(() => setting.accounts.get(ana.account)!.keys.some(({ domainId }) => domainId === id));
    expect((await setting.call(ana, 'DELETE', '/v3/domains/gone.example')).status).toBe(200);
    await soon(() => setting.domains.get(id) === undefined);
    await soon(() => setting.accounts.get(ana.account)!.keys.every((one) => one.id !== key.body['id']));
    expect((await setting.call(ana, 'GET', '/v3/domains/gone.example')).status).toBe(404);
  });
});

describe('bad input names its field', () => {
  it.each([
    ['/v4/domains', form({}), 'name: '],
    ['/v4/domains', form({ name: 'no domain' }), 'name: '],
    ['/v4/domains', new URLSearchParams('name=a.example&name=b.example'), 'name: '],
    ['/v4/domains', form({ name: 'a.example', dkim_selector: 'a b' }), 'dkim_selector: '],
    ['/v1/keys', form({ role: 'god' }), 'role: '],
    ['/v1/keys', form({ role: 'admin', domain_name: 'form.example' }), 'role: '],
    ['/v1/keys', form({ role: 'sending', domain_name: 'unknown.example' }), 'domain_name: '],
    ['/v1/keys', form({ role: 'basic', expiration: 'soon' }), 'expiration: '],
  ])('%s %s', async (url, body, start) => {
    const answer = await setting.call(ana, 'POST', url, body);
    expect(answer.status).toBe(400);
    expect(answer.body['message'].startsWith(start)).toBe(true);
  });

  it('no body at all', async () => {
    expect((await setting.call(ana, 'POST', '/v4/domains')).status).toBe(400);
    expect((await setting.call(ana, 'DELETE', '/v1/keys/x')).status).toBe(400);
    expect((await setting.call(ana, 'GET', '/v4/domains?limit=many')).body['message']).toMatch(/^limit: /);
  });
});

function multipart(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}
