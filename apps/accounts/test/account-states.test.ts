import { randomUUID } from 'node:crypto';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newAccount, OPERATOR, startSetting, type Setting, type Who } from './setting.ts';

let setting: Setting;
let ana: Who;

const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean) => expect(await until(condition, 5_000, 20)).toBe(true);
const stateOf = ({ account }: Who) => setting.accounts.get(account)?.state;

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  ana = await newAccount(setting);
});
afterAll(() => setting?.close());

describe('the state of an account', () => {
  it('is changed by the operator alone, and everybody hears of it', async () => {
    const url = `/v1/accounts/${ana.account}`;
    expect((await setting.call(ana, 'PUT', url, form({ state: 'suspended' }))).status).toBe(403);
    expect((await setting.call(ana, 'GET', url)).status).toBe(403);
    expect((await setting.call(ana, 'GET', '/v1/accounts')).status).toBe(403);
    const { status, body } = await setting.call(OPERATOR, 'PUT', url, form({ state: 'suspended' }));
    expect([status, body['account']]).toMatchObject([200, { id: ana.account, state: 'suspended' }]);
    await soon(() => stateOf(ana) === 'suspended');
    // Its keys are still its keys: it reads.
    expect(setting.accounts.get(ana.account)?.keys).toHaveLength(2);
    expect((await setting.call(OPERATOR, 'GET', url)).body['account'].state).toBe('suspended');
    await setting.call(OPERATOR, 'PUT', url, form({ state: 'active' }));
    await soon(() => stateOf(ana) === 'active');
  });

  it('is found by it', async () => {
    const ben = await newAccount(setting);
    await setting.call(OPERATOR, 'PUT', `/v1/accounts/${ben.account}`, form({ state: 'suspended' }));
    const { body } = await setting.call(OPERATOR, 'GET', '/v1/accounts?state=suspended');
    expect(body).toMatchObject({ total_count: 1, items: [{ id: ben.account, state: 'suspended' }] });
    const all = (await setting.call(OPERATOR, 'GET', '/v1/accounts?limit=1')).body;
    expect(all['total_count']).toBe(2);
    expect(all['items']).toHaveLength(1);
  });

  it.each(['gone', 'Active', '1'])('is nothing else (%s)', async (state) => {
    const answer = await setting.call(OPERATOR, 'PUT', `/v1/accounts/${ana.account}`, form({ state }));
    expect([answer.status, answer.body['message']]).toEqual([400, 'state: must be active or suspended']);
  });

  it('stays what it is where none is sent', async () => {
    await setting.call(OPERATOR, 'PUT', `/v1/accounts/${ana.account}`, form({ state: 'suspended' }));
    const answer = await setting.call(OPERATOR, 'PUT', `/v1/accounts/${ana.account}`, form({ state: '' }));
    expect([answer.status, answer.body['message']]).toEqual([200, 'Account is suspended']);
    await setting.call(OPERATOR, 'PUT', `/v1/accounts/${ana.account}`, form({ state: 'active' }));
  });

  it('is that of an account there is', async () => {
    const url = `/v1/accounts/${randomUUID()}`;
    const answers = [
      await setting.call(OPERATOR, 'GET', url),
      await setting.call(OPERATOR, 'PUT', url, form({ state: 'suspended' })),
    ];
    for (const answer of answers) expect(answer).toEqual({ status: 404, body: { message: 'Account not found' } });
    expect((await setting.call(OPERATOR, 'GET', '/v1/accounts/nonsense')).status).toBe(400);
  });
});
