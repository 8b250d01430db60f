import { randomUUID } from 'node:crypto';
import { migrateDatabase } from '@lethe/database';
import { createDatabase, withClient } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Retention1764471600000 } from '../src/migrations/1764471600000-retention.ts';
import { MIGRATIONS } from '../src/migrations/migrations.ts';
import { newAccount, SANDBOX_ZONE, startSetting, type Setting, type Who } from './setting.ts';

const SETTINGS = '/v1/privacy/retention/settings';

describe('retention settings', () => {
  let setting: Setting;
  let ana: Who;
  let ben: Who;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    setting = await startSetting(inject('stores'), { SANDBOX_ZONE });
    [ana, ben] = [await newAccount(setting), await newAccount(setting)];
    for (const name of ['follows.example', 'own.example']) await made(name);
  });
  afterAll(() => setting?.close());

  async function made(name: string, fields: Record<string, string> = {}): Promise<void> {
    const { body } = await setting.call(ana, 'POST', '/v4/domains', new URLSearchParams({ name, ...fields }));
    ids.set(name, body['domain'].id as string);
  }
  const show = async (query = '') => (await setting.call(ana, 'GET', `${SETTINGS}${query}`)).body;
  const put = (body: object, query = '', who = ana) => setting.call(who, 'PUT', `${SETTINGS}${query}`, body);
  /** What everybody else has heard of a domain. */
  const heard = (name: string) => {
    const { bodiesDays, eventsDays } = setting.domains.get(ids.get(name) ?? '') ?? {};
    return [bodiesDays, eventsDays];
  };
  const accountSoon = (bodiesDays: number, eventsDays: number) =>
    expect
      .poll(() => setting.accounts.get(ana.account)?.retention, { timeout: 30_000 })
      .toEqual({ bodiesDays, eventsDays });
  const soon = (name: string, days: [bodies: number, events: number]) =>
    expect.poll(() => heard(name), { timeout: 30_000 }).toEqual(days);

  it('are a week and thirty days until somebody says otherwise', async () => {
    expect(await show()).toEqual({ bodies_days: 7, events_days: 30 });
    expect(await show('?domain=own.example')).toEqual({
      domain: 'own.example',
      bodies_days: 7,
      events_days: 30,
      own: { bodies_days: false, events_days: false },
    });
    await accountSoon(7, 30);
  });

  it('of an account are those of its domains, but for what a domain has chosen itself', async () => {
    const own = await put({ bodies_days: 5 }, '?domain=OWN.example');
    expect(own.body).toMatchObject({ bodies_days: 5, events_days: 30, own: { bodies_days: true, events_days: false } });
    const { status, body } = await put({ bodies_days: 1, events_days: 3 });
    expect([status, body]).toEqual([200, { message: 'Retention has been updated', bodies_days: 1, events_days: 3 }]);
    await soon('follows.example', [1, 3]);
    await soon('own.example', [5, 3]);
    await accountSoon(1, 3);
    const { body: domain } = await setting.call(ana, 'GET', '/v4/domains/follows.example');
    expect(domain['domain'].message_ttl).toBe(86_400);
    // The sandbox is a domain like any other.
    const sandbox = () =>
      [...setting.domains.values()].find(({ accountId, sandbox: is }) => accountId === ana.account && is);
    await expect.poll(sandbox, { timeout: 30_000 }).toMatchObject({ bodiesDays: 1, eventsDays: 3 });
    // What is not said stays.
    expect((await put({ events_days: 7 })).body).toMatchObject({ bodies_days: 1, events_days: 7 });
    await soon('own.example', [5, 7]);
  });

  it('are those of domains made later, unless these say so when they are made', async () => {
    await made('later.example');
    await made('chosen.example', { message_ttl: '172800' });
    await soon('later.example', [1, 7]);
    await soon('chosen.example', [2, 7]);
    await put({ bodies_days: 3 });
    await soon('later.example', [3, 7]);
    expect(heard('chosen.example')).toEqual([2, 7]);
  });

  it('chosen with message_ttl are the domain’s own, too, and null gives them back to the account', async () => {
    await setting.call(ana, 'PUT', '/v4/domains/own.example', new URLSearchParams({ message_ttl: '0' }));
    await put({ events_days: 14 }, '?domain=own.example');
    await soon('own.example', [0, 14]);
    await put({ bodies_days: 4, events_days: 1 });
    await soon('follows.example', [4, 1]);
    expect(heard('own.example')).toEqual([0, 14]);
    const back = await put({ bodies_days: null }, '?domain=own.example');
    expect(back.body).toMatchObject({
      bodies_days: 4,
      events_days: 14,
      own: { bodies_days: false, events_days: true },
    });
    await soon('own.example', [4, 14]);
    await put({ bodies_days: 6 });
    await soon('own.example', [6, 14]);
  });

  it('of an account with many domains are in force for all of them', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `many${index}.example`);
    for (const name of names) await made(name);
    await put({ bodies_days: 2, events_days: 3 });
    for (const name of names) await soon(name, [2, 3]);
    const { status, body } = await setting.call(ana, 'GET', '/v4/domains/many7.example');
    // What else is published of them is what it was.
    expect([status, setting.domains.get(ids.get('many7.example') ?? '')?.dkim?.selector]).toEqual([
      200,
      body['sending_dns_records'][0].name.split('.')[0],
    ]);
    // Each has a key pair, which takes a busy machine seconds.
  }, 180_000);

  it('of others are nobody’s', async () => {
    expect(await put({ bodies_days: 0 }, '?domain=own.example', ben)).toMatchObject({ status: 404 });
    expect((await setting.call(ben, 'GET', `${SETTINGS}?domain=own.example`)).status).toBe(404);
    expect((await setting.call(ben, 'GET', SETTINGS)).body).toEqual({ bodies_days: 7, events_days: 30 });
    expect((await show('?domain=own.example'))['bodies_days']).toBe(2);
  });

  it.each([
    [
      { bodies_days: 8 },
      '',
      'bodies_days: must be whole days, from 0 to 7: longer takes a recorded written instruction for as many days',
    ],
    [{ bodies_days: 8 }, '?domain=own.example', 'bodies_days: must be whole days, from 0 to 7'],
    [{ bodies_days: 31 }, '', 'bodies_days: must be whole days, from 0 to 7, or to 30 by'],
    [{ bodies_days: -1 }, '', 'bodies_days: '],
    [{ bodies_days: 1.5 }, '', 'bodies_days: '],
    [{ bodies_days: '3' }, '', 'bodies_days: '],
    [{ events_days: 2 }, '', 'events_days: must be 1, 3, 7, 14 or 30'],
    [{ events_days: 60 }, '?domain=own.example', 'events_days: '],
    [{ events_days: null }, '', 'domain: '],
    [{ weeks: 1 }, '', 'weeks: '],
  ])('refuse %j%s, and name the field', async (fields, query, start) => {
    const { status, body } = await put(fields, query);
    expect([status, String(body['message']).slice(0, start.length)]).toEqual([400, start]);
  });
});

describe('the migration to an account’s own retention', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;

  beforeAll(async () => {
    database = await createDatabase(inject('stores'), 'accounts', `acc${randomUUID().slice(0, 8)}`);
  });
  afterAll(() => database?.drop());

  it('keeps what a domain had chosen, as its own', async () => {
    await migrateDatabase(database.url, MIGRATIONS.slice(0, MIGRATIONS.indexOf(Retention1764471600000)));
    const account = randomUUID();
    await withClient(database.url, async (client) => {
      await client.query('INSERT INTO account (id) VALUES ($1)', [account]);
      await client.query(
        `INSERT INTO domain (id, account_id, name, state, bodies_days)
         VALUES (gen_random_uuid(), $1, 'chosen.example', 'active', 0), (gen_random_uuid(), $1, 'silent.example', 'active', 7)`,
        [account],
      );
    });
    await migrateDatabase(database.url, MIGRATIONS);
    const { rows } = await withClient(database.url, (client) =>
      client.query('SELECT name, bodies_days, own_bodies_days, events_days, own_events_days FROM domain ORDER BY name'),
    );
    const events = { events_days: 30, own_events_days: false };
    expect(rows).toEqual([
      { name: 'chosen.example', bodies_days: 0, own_bodies_days: true, ...events },
      { name: 'silent.example', bodies_days: 7, own_bodies_days: false, ...events },
    ]);
  });
});
