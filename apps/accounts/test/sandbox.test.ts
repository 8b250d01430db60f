import { Database } from '@lethe/database';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { StandingUseWorker } from '../src/privacy/standing-use.worker.ts';
import { newAccount, SANDBOX_ZONE, startSetting, type Setting, type Who } from './setting.ts';

let setting: Setting;
let ana: Who;
let ben: Who;

const RECIPIENTS = '/v5/sandbox/auth_recipients';
const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean) => expect(await until(condition, 5_000, 20)).toBe(true);
const sandboxOf = ({ account }: Who) =>
  [...setting.domains.values()].find(({ accountId, sandbox }) => accountId === account && sandbox);
const approve = (who: Who, email: string) => setting.call(who, 'POST', RECIPIENTS, form({ email }));
const listed = async (who: Who) => (await setting.call(who, 'GET', RECIPIENTS)).body['recipients'];

beforeAll(async () => {
  setting = await startSetting(inject('stores'), { SANDBOX_ZONE });
  ana = await newAccount(setting);
  ben = await newAccount(setting);
});
afterAll(() => setting?.close());

describe('the sandbox domain', () => {
  it('comes with the account: active without DNS, of a type of its own, for nobody yet', async () => {
    const { body } = await setting.call(ana, 'GET', '/v4/domains');
    expect(body['total_count']).toBe(1);
    const [domain] = body['items'];
    expect(domain).toMatchObject({ type: 'sandbox', state: 'active' });
    expect(domain.name).toMatch(new RegExp(`^sandbox[0-9a-f]{32}\\.${SANDBOX_ZONE}$`));
    await soon(() => sandboxOf(ana) !== undefined);
    expect(sandboxOf(ana)).toMatchObject({ state: 'active', dkim: null, sandbox: { recipients: [] } });
  });

  it('is nobody else’s to make', async () => {
    for (const name of [SANDBOX_ZONE, `mine.${SANDBOX_ZONE}`]) {
      const answer = await setting.call(ana, 'POST', '/v4/domains', form({ name }));
      expect(answer).toEqual({ status: 400, body: { message: 'This domain name is already taken' } });
    }
  });

  it('is told whom it may send to, by subject ids alone', async () => {
    const made = await approve(ana, 'Carla.Test@world.example');
    expect(made).toMatchObject({
      status: 200,
      body: { recipient: { email: 'Carla.Test@world.example', activated: true } },
    });
    // Mailgun's clients put it into the query.
    expect((await setting.call(ana, 'POST', `${RECIPIENTS}?email=dave%2Bx%40world.example`)).status).toBe(200);
    await soon(() => sandboxOf(ana)?.sandbox?.recipients.length === 2);
    expect(await listed(ana)).toEqual([
      { email: 'Carla.Test@world.example', activated: true },
      { email: 'dave+x@world.example', activated: true },
    ]);
    expect(await listed(ben)).toEqual([]);
    expect(JSON.stringify([...setting.domains.values()])).not.toContain('world.example');
    const { rows } = await setting.app.get(Database).pool.query('SELECT * FROM sandbox_recipient');
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain('world.example');
    // Again: nothing new.
    expect((await approve(ana, 'carla.test@WORLD.example')).status).toBe(200);
    expect(await listed(ana)).toHaveLength(2);
  });

  it('is told when somebody is taken out', async () => {
    expect((await setting.call(ben, 'DELETE', `${RECIPIENTS}/carla.test@world.example`)).status).toBe(404);
    const gone = await setting.call(ana, 'DELETE', `${RECIPIENTS}/carla.test%40world.example`);
    expect(gone).toEqual({ status: 200, body: { message: 'Sandbox recipient deleted' } });
    await soon(() => sandboxOf(ana)?.sandbox?.recipients.length === 1);
    const again = await setting.call(ana, 'DELETE', `${RECIPIENTS}/carla.test@world.example`);
    expect(again).toEqual({ status: 404, body: { message: 'Sandbox recipient not found' } });
  });

  it.each([
    ['nobody', 'email: an address needs the form local@domain'],
    ['', 'email: is missing'],
  ])('refuses %j', async (email, message) => {
    expect(await approve(ana, email)).toEqual({ status: 400, body: { message } });
  });

  it('has few recipients', async () => {
    for (let n = 0; n < 20; n += 1) expect((await approve(ben, `n${n}@world.example`)).status).toBe(200);
    expect(await approve(ben, 'one-more@world.example')).toEqual({
      status: 400,
      body: { message: 'email: an account has at most 20 authorized recipients' },
    });
  });

  it('goes when it is deleted, and comes back when it is asked for', async () => {
    const { name } = (await setting.call(ana, 'GET', '/v4/domains')).body['items'][0];
    expect((await setting.call(ana, 'DELETE', `/v3/domains/${name}`)).status).toBe(200);
    await soon(() => sandboxOf(ana) === undefined);
    await approve(ana, 'eve@world.example');
    await soon(() => sandboxOf(ana)?.sandbox?.recipients.length === 2);
    expect(sandboxOf(ana)?.name).not.toBe(name);
  });

  it('keeps its people in use, so that the vault does not forget them', async () => {
    const yesterday = () =>
      setting.vaultAdmin(`update vault.subject set last_used = last_used - 5 returning subject_id`);
    expect((await yesterday()).length).toBeGreaterThan(0);
    await setting.app.get(StandingUseWorker).noteUse();
    const stale = await setting.vaultAdmin(`select 1 from vault.subject where last_used < current_date`);
    // Whoever was removed above is not in use any more.
    expect(stale).toHaveLength(1);
  });

  it('has no others all day long', async () => {
    const carl = await newAccount(setting);
    const swap = async (out: string, next: string) => {
      expect((await setting.call(carl, 'DELETE', `${RECIPIENTS}/${out}@world.example`)).status).toBe(200);
      return approve(carl, `${next}@world.example`);
    };
    await approve(carl, 'n0@world.example');
    for (let n = 1; n < 40; n += 1) expect((await swap(`n${n - 1}`, `n${n}`)).status).toBe(200);
    expect(await swap('n39', 'n40')).toEqual({
      status: 429,
      body: { message: 'The account approves at most 40 recipients a day for its sandbox' },
    });
    expect(await listed(carl)).toEqual([]);
    await setting.app.get(Database).pool.query('UPDATE account SET sandbox_approvals_day = sandbox_approvals_day - 1');
    expect((await approve(carl, 'n40@world.example')).status).toBe(200);
  });
});
