import { randomUUID } from 'node:crypto';
import { Database } from '@lethe/database';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ROLES } from '../src/keys/roles.ts';
import { STORES } from '../src/privacy/stores.ts';
import { newAccount, OPERATOR, SANDBOX_ZONE, startSetting, type Setting, type Who } from './setting.ts';

let setting: Setting;

beforeAll(async () => {
  setting = await startSetting(inject('stores'), { SANDBOX_ZONE });
});
afterAll(() => setting?.close());

const close = (account: string) => setting.call(OPERATOR, 'DELETE', `/v1/accounts/${account}`);
const PASSWORD = 'correct horse battery';
const signIn = (email: string) =>
  setting.call({ account: 'nobody', scopes: [] }, 'POST', '/v1/sessions', form({ email, password: PASSWORD }));
const form = (fields: Record<string, string>) => new URLSearchParams(fields);

/** Rows of the account, by table. */
async function rowsOf(accountId: string): Promise<Record<string, number>> {
  const { pool } = setting.app.get(Database);
  const counted = await Promise.all(
    STORES.filter(({ columns }) => 'account_id' in columns).map(async ({ store, table }) => {
      const { rows } = await pool.query(`SELECT count(*)::int AS n FROM ${table} WHERE account_id = $1`, [accountId]);
      return [store, rows[0].n as number] as const;
    }),
  );
  const { rowCount } = await pool.query('SELECT FROM account WHERE id = $1', [accountId]);
  return Object.fromEntries([...counted, ['accounts.account', rowCount ?? 0]].filter(([, n]) => n !== 0));
}

/** As privacy asks, in its order; answers what was removed. */
async function erase(accountId: string) {
  const holder = setting.app.get(PersonalDataHolder);
  const domains = [...setting.domains.values()].flatMap((one) => (one.accountId === accountId ? one.domainId : []));
  const scope = { requestId: randomUUID(), accountId, domains, cutOff: Date.now() };
  await holder.fenceAccount(scope);
  const there = await holder.verifyAccount(scope);
  const erased = await holder.eraseAccount(scope);
  expect(await holder.eraseAccount(scope)).toEqual({ found: {}, removed: {} });
  expect(await holder.verifyAccount(scope)).toEqual({});
  expect(erased).toEqual({ found: there, removed: there });
  return erased.removed;
}

describe('an account that is closed', () => {
  let who: Who;
  let neighbour: Who;

  beforeAll(async () => {
    who = await newAccount(setting);
    neighbour = await newAccount(setting);
    for (const [owner, name] of [
      [who, 'closing.example'],
      [neighbour, 'staying.example'],
    ] as const) {
      await setting.call(owner, 'POST', '/v4/domains', form({ name }));
      await setting.call(
        owner,
        'POST',
        `/v3/domains/${name}/credentials`,
        form({ login: 'app', password: 'secret99' }),
      );
      await setting.call(owner, 'POST', '/v5/sandbox/auth_recipients', form({ email: 'ann@world.example' }));
      const invited = await setting.call(owner, 'POST', '/v1/users', form({ email: `user@${name}`, role: 'owner' }));
      const { token } = invited.body['invitation'];
      await setting.call(owner, 'POST', '/v1/users/invitation', form({ token, password: PASSWORD }));
      if ((await signIn(`user@${name}`)).status !== 200) throw new Error('The user cannot sign in');
    }
  });

  it('has no key for anybody within a second, accepts nothing, and names its request', async () => {
    expect(setting.accounts.get(who.account)?.keys.length).toBeGreaterThan(0);
    const { status, body } = await close(who.account);
    expect(status).toBe(200);
    expect(body['account']).toMatchObject({ id: who.account, state: 'closed' });
    const { id, self } = body['request'];
    expect(self).toBe(`http://gateway.example/v1/accounts/${who.account}/closing`);
    expect(await until(() => setting.accounts.get(who.account)?.closing !== undefined, 1_000, 10)).toBe(true);
    expect(setting.accounts.get(who.account)).toMatchObject({
      state: 'suspended',
      keys: [],
      sessions: [],
      closing: { request: id, by: 'operator' },
    });
    expect((await close(who.account)).body['request'].id).toBe(id);
    expect((await signIn('user@closing.example')).status).toBe(401);
  });

  it('cannot be opened again, or changed', async () => {
    const answer = await setting.call(OPERATOR, 'PUT', `/v1/accounts/${who.account}`, { state: 'active' });
    expect([answer.status, answer.body['message']]).toEqual([409, 'The account is closed']);
    expect((await setting.call(OPERATOR, 'GET', '/v1/accounts?state=closed')).body['items']).toHaveLength(1);
  });

  it('is erased from every table, and everybody hears of it; its neighbour is as it was', async () => {
    const before = await rowsOf(neighbour.account);
    expect(Object.keys(await rowsOf(who.account)).toSorted()).toEqual(Object.keys(before).toSorted());
    const removed = await erase(who.account);
    expect(removed).toMatchObject({ 'sandbox-recipient': 1, user: 1 });
    expect(await rowsOf(who.account)).toEqual({});
    expect(await rowsOf(neighbour.account)).toEqual(before);
    const gone = () =>
      setting.accounts.get(who.account) === undefined &&
      [...setting.domains.values()].every(({ accountId }) => accountId !== who.account);
    expect(await until(gone, 5_000)).toBe(true);
    expect([...setting.domains.values()].map(({ name }) => name)).toContain('staying.example');
    expect((await close(who.account)).status).toBe(404);
  });

  it('leaves its domain’s name to whoever wants it', async () => {
    expect((await setting.call(neighbour, 'POST', '/v4/domains', form({ name: 'closing.example' }))).status).toBe(200);
  });
});

describe('a subaccount', () => {
  let parent: Who;
  let parentKey: string;
  let sub: string;

  beforeAll(async () => {
    parent = await newAccount(setting);
    const { pool } = setting.app.get(Database);
    const { rows } = await pool.query(`SELECT id FROM api_key WHERE account_id = $1 AND role = 'admin'`, [
      parent.account,
    ]);
    parentKey = rows[0].id;
    const { body } = await setting.call(parent, 'POST', '/v5/accounts/subaccounts', form({ name: 'shop' }));
    sub = body['subaccount'].id;
  });

  const remove = (account: string, keyId: string) =>
    setting.call({ account, scopes: [...ROLES.admin], keyId }, 'DELETE', '/v5/accounts/subaccounts');

  it('keeps its parent from being closed', async () => {
    const { status, body } = await close(parent.account);
    expect([status, body['message']]).toEqual([
      409,
      'The account has subaccounts: close them first, and wait until they are erased',
    ]);
  });

  it('is deleted by a key of its parent that acts for it, and by none of its own', async () => {
    expect((await remove(sub, randomUUID())).status).toBe(403);
    expect((await remove(parent.account, parentKey)).status).toBe(400);
    const { status, body } = await remove(sub, parentKey);
    expect(status).toBe(200);
    expect(body['request'].self).toBe(`http://gateway.example/v1/privacy/requests/${body['request'].id}`);
    const { body: list } = await setting.call(parent, 'GET', '/v5/accounts/subaccounts');
    expect(list['subaccounts']).toMatchObject([{ id: sub, status: 'closed' }]);
    const enabled = await setting.call(parent, 'POST', `/v5/accounts/subaccounts/${sub}/enable`);
    expect(enabled.status).toBe(409);
    expect(await until(() => setting.accounts.get(sub)?.closing?.by === parentKey, 5_000)).toBe(true);
    expect(setting.accounts.get(sub)?.parentId).toBe(parent.account);
  });

  it('leaves its parent, which can be closed afterwards', async () => {
    await erase(sub);
    expect((await setting.call(parent, 'GET', '/v5/accounts/subaccounts')).body['total']).toBe(0);
    expect((await close(parent.account)).status).toBe(200);
    const { status } = await setting.call(parent, 'POST', '/v5/accounts/subaccounts', form({ name: 'late' }));
    expect(status).toBe(403);
  });
});
