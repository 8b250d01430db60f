import { randomUUID } from 'node:crypto';
import { Database } from '@lethe/database';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newAccount, OPERATOR, startSetting, type Setting, type Who } from './setting.ts';

const URL = '/v5/accounts/subaccounts';
const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean) => expect(await until(condition, 5_000, 20)).toBe(true);

let setting: Setting;
let ana: Who;
let ben: Who;
let id: string;

const published = () => setting.accounts.get(id);

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  ana = await newAccount(setting);
  ben = await newAccount(setting);
  const { body } = await setting.call(ana, 'POST', URL, form({ name: 'The Secret Client' }));
  id = body['subaccount'].id;
});
afterAll(() => setting?.close());

describe('subaccounts', () => {
  it('are known as their parent’s, and by name to nobody but the parent', async () => {
    await soon(() => published() !== undefined);
    expect(published()).toMatchObject({ accountId: id, parentId: ana.account, state: 'active', keys: [] });
    expect(JSON.stringify(published())).not.toContain('Secret');
    const { rows } = await setting.app.get(Database).pool.query('SELECT * FROM account');
    expect(JSON.stringify(rows)).not.toContain('Secret');
    expect((await setting.call(ana, 'GET', `${URL}/${id}`)).body['subaccount']).toMatchObject({
      id,
      name: 'The Secret Client',
      status: 'open',
    });
  });

  it('are nobody else’s', async () => {
    const answers = [
      await setting.call(ben, 'GET', `${URL}/${id}`),
      await setting.call(ben, 'POST', `${URL}/${id}/disable`),
      await setting.call(ben, 'PUT', `${URL}/${id}/limit/custom/monthly?limit=1`),
      await setting.call(ana, 'GET', `${URL}/${ben.account}`),
      await setting.call(ana, 'POST', `${URL}/${randomUUID()}/enable`),
    ];
    for (const answer of answers) expect(answer).toEqual({ status: 404, body: { message: 'Subaccount not found' } });
    expect((await setting.call(ben, 'GET', URL)).body).toEqual({ subaccounts: [], total: 0 });
  });

  it('are listed in the order they were made, by whether they may send', async () => {
    const other = (await setting.call(ana, 'POST', `${URL}?name=Second`)).body['subaccount'].id;
    await setting.call(ana, 'POST', `${URL}/${other}/disable`);
    const names = async (query: string) =>
      (await setting.call(ana, 'GET', `${URL}${query}`)).body['subaccounts'].map((one: { name: string }) => one.name);
    expect(await names('')).toEqual(['The Secret Client', 'Second']);
    expect(await names('?limit=1&skip=1')).toEqual(['Second']);
    expect(await names('?enabled=false')).toEqual(['Second']);
    expect((await setting.call(ana, 'GET', `${URL}?limit=1`)).body['total']).toBe(2);
  });

  it('send as long as parent and operator let them', async () => {
    expect((await setting.call(ana, 'POST', `${URL}/${id}/disable`)).body['subaccount'].status).toBe('disabled');
    await soon(() => published()?.state === 'suspended');
    expect((await setting.call(ana, 'POST', `${URL}/${id}/enable`)).body['subaccount'].status).toBe('open');
    await soon(() => published()?.state === 'active');
    await setting.call(OPERATOR, 'PUT', `/v1/accounts/${id}`, form({ state: 'suspended' }));
    await soon(() => published()?.state === 'suspended');
    // What the operator said is not the parent's to lift.
    expect((await setting.call(ana, 'POST', `${URL}/${id}/enable`)).body['subaccount'].status).toBe('disabled');
    expect(published()?.state).toBe('suspended');
    await setting.call(OPERATOR, 'PUT', `/v1/accounts/${id}`, form({ state: 'active' }));
    await soon(() => published()?.state === 'active');
  });

  it('have a limit that is their parent’s to set', async () => {
    const limit = (who: Who, url: string) => setting.call(who, 'PUT', url, form({ limit: '50' }));
    expect((await limit(ana, `${URL}/${id}/limit/custom/monthly`)).body).toMatchObject({ success: true });
    await soon(() => published()?.quota?.month === 50);
    const own = await limit({ ...ana, account: id }, '/v5/accounts/limit/custom/monthly');
    expect(own).toEqual({ status: 403, body: { message: 'The limit of a subaccount is set by its parent' } });
    await setting.call(ana, 'DELETE', `${URL}/${id}/limit/custom/monthly`);
    await soon(() => published()?.quota === undefined);
  });

  it('have no subaccounts, and a suspended account makes none', async () => {
    const nested = await setting.call({ ...ana, account: id }, 'POST', URL, form({ name: 'Deeper' }));
    expect(nested).toEqual({ status: 403, body: { message: 'A subaccount has no subaccounts' } });
    await setting.call(OPERATOR, 'PUT', `/v1/accounts/${ben.account}`, form({ state: 'suspended' }));
    const refused = await setting.call(ben, 'POST', URL, form({ name: 'Another way' }));
    expect(refused).toEqual({ status: 403, body: { message: 'A suspended account makes no subaccounts' } });
  });

  it.each(['', 'x'.repeat(257)])('need a name', async (name) => {
    const { status, body } = await setting.call(ana, 'POST', URL, form({ name }));
    expect([status, body['message']]).toEqual([400, expect.stringMatching(/^name: /)]);
  });
});
