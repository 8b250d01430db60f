import type { AllowedSenders } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newAccount, OPERATOR, startSetting, type Setting, type Who } from './setting.ts';

let setting: Setting;
let ana: Who;
let domainId: string;

const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const soon = async (condition: () => boolean) => expect(await until(condition, 5_000, 20)).toBe(true);
const account = () => setting.accounts.get(ana.account);
const domain = () => setting.domains.get(domainId);

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  ana = await newAccount(setting);
  domainId = (await setting.call(ana, 'POST', '/v4/domains', form({ name: 'ana.example' }))).body['domain'].id;
  await soon(() => domain() !== undefined);
});
afterAll(() => setting?.close());

describe('limits', () => {
  const MONTHLY = '/v5/accounts/limit/custom/monthly';

  it('are the operator’s and the account’s own, of which the lower counts', async () => {
    expect(account()?.quota).toBeUndefined();
    const operators = (fields: Record<string, string>) =>
      setting.call(OPERATOR, 'PUT', `/v1/accounts/${ana.account}`, form(fields));
    const { body } = await operators({ day_limit: '100', month_limit: '1000' });
    expect(body['account']).toMatchObject({ state: 'active', day_limit: 100, month_limit: 1_000 });
    await soon(() => account()?.quota?.month === 1_000);
    expect((await setting.call(ana, 'PUT', `${MONTHLY}?limit=500`)).body).toMatchObject({ success: true });
    await soon(() => account()?.quota?.month === 500);
    await setting.call(ana, 'PUT', MONTHLY, form({ limit: '5000' }));
    await soon(() => account()?.quota?.month === 1_000);
    await operators({ day_limit: 'none', month_limit: 'none' });
    await soon(() => account()?.quota?.month === 5_000);
    expect(account()?.quota?.day).toBeUndefined();
    expect((await setting.call(ana, 'DELETE', MONTHLY)).body).toMatchObject({ success: true });
    await soon(() => account()?.quota === undefined);
  });

  it.each(['', 'many', '-1', '1.5', 'none'])('refuse %j', async (limit) => {
    const { status, body } = await setting.call(ana, 'PUT', MONTHLY, form({ limit }));
    expect([status, body['message']]).toEqual([400, expect.stringMatching(/^limit: /)]);
  });

  it('are a domain’s, too', async () => {
    const { body } = await setting.call(ana, 'PUT', '/v4/domains/ana.example', form({ day_limit: '7' }));
    expect(body['domain']).toMatchObject({ day_limit: 7, month_limit: null });
    await soon(() => domain()?.quota?.day === 7);
    await setting.call(ana, 'PUT', '/v4/domains/ana.example', form({ day_limit: 'none' }));
    await soon(() => domain()?.quota === undefined);
  });
});

describe('allowed senders', () => {
  const senders = (...names: string[]) => new URLSearchParams(names.map((name) => ['sender', name]));
  const opened = (jwe: string | undefined, recordId: string) =>
    setting.vault.openForAccount<AllowedSenders>(jwe ?? '', {
      account: ana.account,
      type: 'allowed-senders',
      recordId,
    });

  it.each([
    ['a domain', '/v1/allowed_senders/ana.example', domain, () => domainId],
    ['the account', '/v1/allowed_senders', account, () => ana.account],
  ])('of %s are kept and published sealed', async (_, url, published, id) => {
    expect((await setting.call(ana, 'GET', url)).body).toEqual({ items: [], total_count: 0 });
    const put = await setting.call(
      ana,
      'PUT',
      url,
      senders('Ann.Secret@A.example', 'B\u00fccher.example', 'ann.secret@a.example'),
    );
    const items = ['ann.secret@a.example', 'xn--bcher-kva.example'];
    expect(put).toEqual({ status: 200, body: { message: 'Allowed senders updated', items, total_count: 2 } });
    await soon(() => published()?.allowedSenders !== undefined);
    expect(JSON.stringify(published())).not.toContain('secret');
    expect(await opened(published()?.allowedSenders, id())).toEqual({ senders: items });
    const { rows } = await setting.app.get(Database).pool.query('SELECT * FROM account, domain');
    expect(JSON.stringify(rows)).not.toContain('secret');
    expect((await setting.call(ana, 'GET', url)).body['items']).toEqual(items);
    expect((await setting.call(ana, 'DELETE', url)).body['items']).toEqual([]);
    await soon(() => published()?.allowedSenders === undefined);
  });

  it('are addresses and domains, and not too many', async () => {
    const url = '/v1/allowed_senders/ana.example';
    const answers = [
      await setting.call(ana, 'PUT', url, senders('no domain')),
      await setting.call(ana, 'PUT', url, senders('a@')),
      await setting.call(ana, 'PUT', url, senders()),
      await setting.call(ana, 'PUT', url, senders(...Array.from({ length: 101 }, (_, n) => `n${n}.example`))),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    expect((await setting.call(ana, 'PUT', '/v1/allowed_senders/not.example', senders('a.example'))).status).toBe(404);
  });
});
