import { randomUUID } from 'node:crypto';
import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import { Database, migrateDatabase } from '@lethe/database';
import { createDatabase, withClient } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ChosenDays1764486000000 } from '../src/migrations/1764486000000-chosen-days.ts';
import { MIGRATIONS } from '../src/migrations/migrations.ts';
import { InstructionsService } from '../src/retention/instructions.service.ts';
import { UserCalls } from './user-calls.ts';
import { newAccount, OPERATOR, startSetting, type Setting, type Who } from './setting.ts';

const SETTINGS = '/v1/privacy/retention/settings';
const INSTRUCTIONS = '/v1/privacy/retention/instructions';
const DIGEST = 'c0ffee'.padEnd(64, '0');
const SIGNED_BY = 'Ana Example, managing director';
const HOUR = 3_600_000;

const inHours = (hours: number): string => new Date(Date.now() + hours * HOUR).toISOString();

describe('written instructions to keep bodies for longer', () => {
  let setting: Setting;
  let ana: Who;
  let ben: Who;
  let domainId: string;
  let database: Database['pool'];

  beforeAll(async () => {
    setting = await startSetting(inject('stores'));
    database = setting.app.get(Database, { strict: false }).pool;
    [ana, ben] = [await newAccount(setting), await newAccount(setting)];
    const { body } = await setting.call(ana, 'POST', '/v4/domains', new URLSearchParams({ name: 'kept.example' }));
    domainId = body['domain'].id as string;
  });
  afterAll(() => setting?.close());

  const instruction = (fields: object = {}) => ({
    account: ana.account,
    bodies_days: 20,
    document_sha256: DIGEST,
    signed_by: SIGNED_BY,
    signed_at: inHours(-2),
    valid_from: inHours(-1),
    valid_to: inHours(1),
    ...fields,
  });
  const record = (fields: object = {}, who = OPERATOR) => setting.call(who, 'POST', INSTRUCTIONS, instruction(fields));
  const put = (body: object, query = '', who = ana) => setting.call(who, 'PUT', `${SETTINGS}${query}`, body);
  const soon = (account: number, domain: number) =>
    expect
      .poll(
        () => [setting.accounts.get(ana.account)?.retention?.bodiesDays, setting.domains.get(domainId)?.bodiesDays],
        {
          timeout: 30_000,
        },
      )
      .toEqual([account, domain]);
  /** Its time comes, as it would by itself. */
  async function comes(id: string, change: string): Promise<void> {
    await database.query(`UPDATE retention_instruction SET ${change} WHERE id = $1`, [id]);
    await setting.app.get(InstructionsService).turn();
  }

  it('are recorded by whoever runs the platform alone', async () => {
    for (const who of [ana, ben, { ...OPERATOR, scopes: ['operator:read'] }]) {
      expect((await record({}, who)).status).toBe(403);
      expect((await setting.call({ ...who, scopes: ['privacy:read'] }, 'GET', INSTRUCTIONS)).status).toBe(403);
    }
    await soon(7, 7);
  });

  it('are in force from the answer on, let domains choose within them, and concern nobody else', async () => {
    const { status, body } = await record();
    expect([status, body]).toEqual([
      200,
      {
        message: 'Instruction has been recorded',
        instruction: expect.objectContaining({
          account: ana.account,
          bodies_days: 20,
          document_sha256: DIGEST,
          signed_by: SIGNED_BY,
          state: 'in-force',
        }),
      },
    ]);
    await soon(20, 20);
    const { id, valid_to } = body['instruction'];
    expect((await setting.call(ana, 'GET', SETTINGS)).body).toEqual({
      bodies_days: 20,
      events_days: 30,
      instruction: { id, bodies_days: 20, valid_to },
    });
    expect((await put({ bodies_days: 21 })).status).toBe(400);
    expect((await put({ bodies_days: 15 }, '?domain=kept.example')).body).toMatchObject({ bodies_days: 15 });
    expect((await put({ bodies_days: 5 })).body).toMatchObject({ bodies_days: 5 });
    await soon(5, 15);
    expect((await put({ bodies_days: 20 })).status).toBe(200);
    expect((await put({ bodies_days: 8 }, '', ben)).status).toBe(400);
    const listed = await setting.call(OPERATOR, 'GET', `${INSTRUCTIONS}?account=${ana.account}`);
    expect(listed.body).toMatchObject({ total_count: 1, items: [{ id, signed_by: SIGNED_BY }] });
    expect((await setting.call(OPERATOR, 'GET', `${INSTRUCTIONS}?account=${ben.account}`)).body['items']).toEqual([]);
  });

  it('hold who has signed under the account’s key', async () => {
    const { rows } = await database.query('SELECT * FROM retention_instruction');
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('Ana');
  });

  it('end on their time: what was longer is a week again', async () => {
    const [{ id }] = (await setting.call(OPERATOR, 'GET', INSTRUCTIONS)).body['items'];
    await soon(20, 15);
    await comes(id, `valid_to = now() - interval '1 second'`);
    await soon(7, 7);
    expect((await put({ bodies_days: 8 })).status).toBe(400);
    expect((await setting.call(ana, 'GET', SETTINGS)).body).toEqual({ bodies_days: 7, events_days: 30 });
    const { body } = await setting.call(OPERATOR, 'GET', INSTRUCTIONS);
    expect(body['items']).toMatchObject([{ id, state: 'over' }]);
  });

  it('begin on their time, once: what the account chooses after that stays', async () => {
    const { body } = await record({ bodies_days: 30, valid_from: inHours(1), valid_to: inHours(2) });
    const { id } = body['instruction'];
    expect(body['instruction'].state).toBe('coming');
    await soon(7, 7);
    expect((await put({ bodies_days: 8 })).status).toBe(400);
    await comes(id, `valid_from = now() - interval '1 second'`);
    await soon(30, 7);
    await put({ bodies_days: null }, '?domain=kept.example');
    await soon(30, 30);
    await put({ bodies_days: 2 });
    await setting.app.get(InstructionsService).turn();
    await soon(2, 2);
  });

  it('hold by the longest of those in force, also where a shorter one begins', async () => {
    const [, { id: longer }] = (await setting.call(OPERATOR, 'GET', INSTRUCTIONS)).body['items'];
    await put({ bodies_days: 30 });
    const { body } = await record({ bodies_days: 9 });
    expect((await setting.call(ana, 'GET', SETTINGS)).body).toMatchObject({ bodies_days: 30 });
    await comes(longer, `valid_to = now() - interval '1 second'`);
    await soon(9, 9);
    await comes(body['instruction'].id, `valid_to = now() - interval '1 second'`);
    await soon(7, 7);
  });

  it('give back what the account has chosen itself, before or meanwhile, as the last of them ends', async () => {
    const ends = (id: string) => comes(id, `valid_to = now() - interval '1 second'`);
    await put({ bodies_days: 2 });
    const [longer, shorter] = [await record({ bodies_days: 20 }), await record({ bodies_days: 10 })];
    await soon(20, 20);
    // What is said of events alone chooses nothing of bodies.
    await put({ events_days: 30 });
    await ends(longer.body['instruction'].id);
    await soon(10, 10);
    await ends(shorter.body['instruction'].id);
    await soon(2, 2);
    expect((await setting.call(ana, 'GET', SETTINGS)).body).toEqual({ bodies_days: 2, events_days: 30 });
    for (const [chosen, after] of [
      [4, 4],
      [15, 7],
    ] as const) {
      const { body } = await record();
      await soon(20, 20);
      await put({ bodies_days: chosen });
      await soon(chosen, chosen);
      // One that begins sets it anew; the choice is what comes back all the same.
      const another = await record({ bodies_days: 8 });
      await soon(20, 20);
      await ends(body['instruction'].id);
      await soon(8, 8);
      await ends(another.body['instruction'].id);
      await soon(after, after);
    }
  });

  const end = (id: string, who: Who = OPERATOR) => setting.call(who, 'POST', `${INSTRUCTIONS}/${id}/end`);
  const shown = async () => (await setting.call(ana, 'GET', SETTINGS)).body;

  it('are ended before their time by whoever runs the platform: the account is back at once, the record stays', async () => {
    await put({ bodies_days: 3 });
    const longer: string = (await record({ bodies_days: 25 })).body['instruction'].id;
    const shorter: string = (await record({ bodies_days: 12 })).body['instruction'].id;
    expect((await put({ bodies_days: 14 }, '?domain=kept.example')).status).toBe(200);
    await soon(25, 14);
    for (const who of [ana, ben, { ...OPERATOR, scopes: ['operator:read'] }]) {
      expect((await end(longer, who)).status).toBe(403);
    }
    const before = Date.now();
    const { status, body } = await end(longer);
    expect([status, body]).toEqual([
      200,
      {
        message: 'Instruction is over',
        instruction: expect.objectContaining({
          id: longer,
          bodies_days: 25,
          signed_by: SIGNED_BY,
          state: 'over',
          ended_at: expect.any(String),
          ended_by: 'test',
        }),
      },
    ]);
    const endedAt = Date.parse(body['instruction'].ended_at);
    expect(endedAt).toBeGreaterThanOrEqual(before);
    expect(endedAt).toBeLessThanOrEqual(Date.now());
    expect(Date.parse(body['instruction'].valid_to)).toBeGreaterThan(endedAt);
    expect(await shown()).toMatchObject({ bodies_days: 12, instruction: { id: shorter } });
    await soon(12, 12);
    await end(shorter);
    expect(await shown()).toEqual({ bodies_days: 3, events_days: 30 });
    await soon(3, 7);
    expect((await put({ bodies_days: 8 })).status).toBe(400);
    // Its time goes on, and nothing comes back by that.
    await setting.app.get(InstructionsService).turn();
    expect(await shown()).toEqual({ bodies_days: 3, events_days: 30 });
    // Again: as it is, though somebody else asks.
    expect(await end(longer, { ...OPERATOR, keyId: randomUUID() })).toEqual({ status, body });
    const listed = (await setting.call(OPERATOR, 'GET', INSTRUCTIONS)).body['items'];
    expect(listed).toContainEqual(body['instruction']);
  });

  it('that have not begun never do once they are ended, and one that is over by itself is answered as it is', async () => {
    const { id } = (await record({ valid_from: inHours(1), valid_to: inHours(2) })).body['instruction'];
    expect((await end(id)).body['instruction']).toMatchObject({ state: 'over', ended_by: 'test' });
    await comes(id, `valid_from = now() - interval '1 second'`);
    expect(await shown()).toEqual({ bodies_days: 3, events_days: 30 });
    const [over] = (await setting.call(OPERATOR, 'GET', INSTRUCTIONS)).body['items'];
    expect(over).toMatchObject({ state: 'over', ended_at: null, ended_by: null });
    expect(await end(over.id)).toMatchObject({ status: 200, body: { instruction: over } });
    // Over since a moment ago, which nobody has noticed yet.
    const late = (await record()).body['instruction'].id;
    await database.query(`UPDATE retention_instruction SET valid_to = now() - interval '1 second' WHERE id = $1`, [
      late,
    ]);
    expect((await end(late)).body['instruction']).toMatchObject({ state: 'over', ended_at: null, ended_by: null });
    expect(await shown()).toEqual({ bodies_days: 3, events_days: 30 });
    expect(await end(randomUUID())).toMatchObject({ status: 404, body: { message: 'Instruction not found' } });
    expect((await end('nothing')).status).toBe(400);
  });

  it('say which user has ended them, not by which session', async () => {
    const calls = new UserCalls(setting);
    const user = await calls.newUser(OPERATOR, 'carl@operator.example', 'admin');
    const session = await calls.signedIn('carl@operator.example', OPERATOR.account);
    const { id } = (await record()).body['instruction'];
    // Without a second factor it may not: the gateway says of those with one what they may.
    expect((await end(id, session)).status).toBe(403);
    expect((await end(id, { ...OPERATOR, keyId: session.keyId! })).body['instruction']).toMatchObject({
      ended_by: user,
    });
  });

  it.each([
    [{ bodies_days: 7 }, 400, 'bodies_days: must be whole days, from 8 to 30'],
    [{ bodies_days: 31 }, 400, 'bodies_days: '],
    [{ document_sha256: 'short' }, 400, 'document_sha256: must be 64 hexadecimal digits'],
    [{ signed_by: ' ' }, 400, 'signed_by: is missing'],
    [{ signed_at: inHours(5) }, 400, 'signed_at: is in the future'],
    [{ valid_from: 'tomorrow' }, 400, 'valid_from: must be a time'],
    [{ valid_from: inHours(3) }, 400, 'valid_to: must be after valid_from'],
    [{ valid_to: '2999-01-01T00:00:00Z' }, 400, 'valid_to: must be after valid_from, by ten years at most'],
    [{ valid_from: inHours(-9), valid_to: inHours(-8) }, 400, 'valid_to: is over'],
    [{ account: 'nobody' }, 400, 'account: '],
    [{ account: randomUUID() }, 404, 'Account not found'],
    [{ weeks: 2 }, 400, 'weeks: '],
  ])('with %j are refused, and the field is named', async (fields, code, start) => {
    const { status, body } = await record(fields);
    expect([status, String(body['message']).slice(0, start.length)]).toEqual([code, start]);
  });

  it('are listed without who has signed while their account is being erased', async () => {
    const gone = await newAccount(setting);
    await record({ account: gone.account });
    expect((await setting.call(OPERATOR, 'DELETE', `/v1/accounts/${gone.account}`)).status).toBe(200);
    await setting.vaultAdmin(`delete from vault.account where account_id = '${gone.account}' returning 1`);
    const listed = () => setting.call(OPERATOR, 'GET', `${INSTRUCTIONS}?account=${gone.account}`);
    await expect.poll(async () => (await listed()).body['items']?.[0]?.signed_by, { timeout: 10_000 }).toBe('');
    expect((await setting.call(OPERATOR, 'GET', INSTRUCTIONS)).status).toBe(200);
  });
});

describe('the migration to what an account has chosen itself', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;

  beforeAll(async () => {
    database = await createDatabase(inject('stores'), 'accounts', `acc${randomUUID().slice(0, 8)}`);
  });
  afterAll(() => database?.drop());

  it('takes it to be what it has, a week at most', async () => {
    await migrateDatabase(database.url, MIGRATIONS.slice(0, MIGRATIONS.indexOf(ChosenDays1764486000000)));
    const rows = (sql: string) => withClient(database.url, async (client) => (await client.query(sql)).rows);
    await rows('INSERT INTO account (id, bodies_days) SELECT gen_random_uuid(), unnest(ARRAY[2, 7, 20])');
    await migrateDatabase(database.url, MIGRATIONS);
    const theirs = `SELECT bodies_days, chosen_bodies_days FROM account WHERE id <> '${PLATFORM_ACCOUNT}' ORDER BY 1`;
    expect(await rows(theirs)).toEqual([
      { bodies_days: 2, chosen_bodies_days: 2 },
      { bodies_days: 7, chosen_bodies_days: 7 },
      { bodies_days: 20, chosen_bodies_days: 7 },
    ]);
  });
});
