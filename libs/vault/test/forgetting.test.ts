import { bucketLimit, periodOf, RETENTION, type RetentionClass } from '@lethe/contracts';
import { until, withClient } from '@lethe/testing';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrateVault } from '../src/index.ts';
import type { Vault, VaultKeeper } from '../src/index.ts';
import { VaultDatabase } from '../src/keys/vault-database.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

const forgotten = expect.objectContaining({ name: 'ForgottenError' });
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const boundary = (hours: number): Date => new Date(Math.floor((Date.now() + hours * HOUR) / (6 * HOUR)) * 6 * HOUR);

let world: VaultWorld;
let ingest: Vault;
let delivery: Vault;
let keeper: VaultKeeper;
let account: string;

beforeAll(async () => {
  world = await vaultWorld();
  ingest = await world.vault('ingest');
  delivery = await world.vault('delivery');
  keeper = world.keeper({ kek: world.kek });
  account = await world.account();
});
afterAll(() => world.close());

/** As the vault makes partitions itself: its owner's. */
const asOwner = (sql: string, values: unknown[]) => withClient(world.ownerUrl, (client) => client.query(sql, values));

const address = (): string => `${randomUUID()}@example.com`;
const subjects = (forms: string[]): Promise<string[]> => ingest.subjectsFor(account, forms);
const seal = (subject: string, name: 'e1' | 'e30' = 'e30') =>
  ingest.seal({ account, subject, period: periodOf(name, Date.now()), type: 'envelope', recordId: 'r/1' }, 'x');
const open = (jwe: string) => delivery.open(jwe, { account, type: 'envelope', recordId: 'r/1' });
/** Days of disuse, of which the last begins an hour early. */
const unused = (ids: string[], days: number) =>
  world.admin.query(
    `update vault.subject set last_used = vault.disused_before() + 31 - $2::int where subject_id = any($1)`,
    [ids, days],
  );
const exists = async (name: string): Promise<boolean> =>
  (await world.admin.query('select from pg_class where relname = $1', [name])).rowCount === 1;
async function dirty(): Promise<(string | null)[]> {
  const { rows } = await world.admin.query<{ relation: string | null }>('delete from vault.dirty returning relation');
  return [...new Set(rows.map(({ relation }) => relation))];
}

describe('people', () => {
  it('unused for longer than 31 days are forgotten, others are not', async () => {
    const forms = [address(), address(), address()];
    const [due = '', atLimit = '', used = ''] = await subjects(forms);
    const sealed = [await seal(due), await seal(atLimit), await seal(used)];
    await Promise.all(sealed.map(open));
    await unused([due], 32);
    await unused([atLimit], 31);
    await unused([used], 32);
    await (await world.vault('suppression')).useSubjects(account, await ingest.pseudonyms(account, forms.slice(2)));
    await dirty();
    expect(await keeper.forgetDue()).toEqual({ periods: 0, contentKeys: 0, subjects: 1 });
    await vi.waitFor(() => expect(open(sealed[0] ?? '')).rejects.toThrow(forgotten), 1000);
    expect([await open(sealed[1] ?? ''), await open(sealed[2] ?? '')]).toEqual(['x', 'x']);
    expect(await keeper.residual([due])).toEqual({ secrets: 0, names: 0 });
    const { rowCount } = await world.admin.query('select from vault.subject where subject_id = $1', [due]);
    expect(rowCount).toBe(0);
    expect((await dirty()).map((name) => String(name).replace(/_\d.*/, '')).toSorted()).toEqual([
      'vault.subject_name',
      'vault.subject_secret',
    ]);
    const [again, ...same] = await (await world.vault('ingest')).subjectsFor(account, forms);
    expect(again).not.toBe(due);
    expect(same).toEqual([atLimit, used]);
  });

  it('who is in use by their subjects stays, and who is not there any more is told', async () => {
    const forms = [address(), address()];
    const [used = '', due = ''] = await subjects(forms);
    await unused([used, due], 32);
    expect(await ingest.useKnownSubjects([used])).toEqual(new Set([used]));
    expect((await keeper.forgetDue()).subjects).toBe(1);
    expect(await ingest.useKnownSubjects([used, due])).toEqual(new Set([used]));
    expect(await ingest.knownSubjects(account, [...forms, address()])).toEqual([used, undefined, undefined]);
  });

  it('who is found on the day it is due stays', async () => {
    const form = address();
    const [subject = ''] = await subjects([form]);
    await unused([subject], 40);
    expect(await (await world.vault('ingest')).subjectsFor(account, [form])).toEqual([subject]);
    expect((await keeper.forgetDue()).subjects).toBe(0);
  });

  it('who is found while being forgotten becomes somebody new, at once', async () => {
    const form = address();
    const [subject = ''] = await subjects([form]);
    await unused([subject], 40);
    const forgetting = new Client({ connectionString: world.urls.privacy });
    await forgetting.connect();
    await forgetting.query('begin');
    expect((await forgetting.query('select vault.forget_subjects(10) as n')).rows).toEqual([{ n: 1 }]);
    const finding = (await world.vault('ingest')).subjectsFor(account, [form]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await forgetting.query('commit');
    await forgetting.end();
    const [found = ''] = await finding;
    expect(found).not.toBe(subject);
    expect(await open(await seal(found))).toBe('x');
  });

  it('who is in use this moment is not waited for, and forgotten next time', async () => {
    const [subject = ''] = await subjects([address()]);
    await unused([subject], 40);
    await world.admin.query('begin');
    await world.admin.query('select from vault.subject where subject_id = $1 for update', [subject]);
    expect((await keeper.forgetDue()).subjects).toBe(0);
    await world.admin.query('rollback');
    expect((await keeper.forgetDue()).subjects).toBe(1);
  });

  it('are forgotten in batches, all of them', async () => {
    const ids = await subjects(Array.from({ length: 1100 }, address));
    await unused(ids, 33);
    expect((await keeper.forgetDue()).subjects).toBe(1100);
    expect(await keeper.residual(ids)).toEqual({ secrets: 0, names: 0 });
  });

  it('are due an hour before their last day is 32 days old', async () => {
    const { rows } = await world.admin.query<{ before: string; due: string }>(
      `select vault.disused_before('2026-03-04T22:59:59Z')::text as before, vault.disused_before('2026-03-04T23:00Z')::text as due`,
    );
    expect(rows).toEqual([{ before: '2026-02-01', due: '2026-02-02' }]);
  });

  it('are forgotten until nobody is due, however many transactions it takes', async () => {
    const ids = await subjects(Array.from({ length: 250 }, address));
    await unused(ids, 33);
    const value = VaultDatabase.prototype.value;
    const few = vi.spyOn(VaultDatabase.prototype, 'value').mockImplementation(function two(
      this: VaultDatabase,
      name: string,
      parameters,
    ) {
      return value.call(this, name, name === 'forget_subjects' ? [2] : parameters);
    });
    const gone = await keeper.forgetDue();
    few.mockRestore();
    expect(gone.subjects).toBe(250);
  });

  it('that were erased are forgotten too, in the end', async () => {
    const [subject = ''] = await subjects([address()]);
    await keeper.destroy([{ position: 1, subjects: [subject], messages: [] }]);
    await unused([subject], 32);
    expect((await keeper.forgetDue()).subjects).toBe(1);
  });

  it('leave their week when it is past and empty', async () => {
    const { rows } = await world.admin.query<{ old: string; past: string; now: string }>(
      `select to_char(w - 70, 'YYYYMMDD') as old, to_char(w - 21, 'YYYYMMDD') as past, to_char(w, 'YYYYMMDD') as now
       from (select date_trunc('week', now() at time zone 'UTC')::date as w) weeks`,
    );
    const [week] = rows;
    if (week === undefined) throw new Error('no week');
    for (const day of [week.old, week.past])
      await asOwner('select vault.ensure_week(to_date($1, $2))', [day, 'YYYYMMDD']);
    await world.admin.query(
      `insert into vault.subject_secret values (to_date($1, 'YYYYMMDD'), gen_random_uuid(), '')`,
      [week.past],
    );
    await dirty();
    await keeper.forgetDue();
    expect(await exists(`subject_secret_${week.old}`)).toBe(false);
    expect(await exists(`subject_secret_${week.old}_0`)).toBe(false);
    expect(await exists(`subject_secret_${week.past}`)).toBe(true);
    expect(await exists(`subject_secret_${week.now}`)).toBe(true);
    expect(await dirty()).toEqual([null]);
  });
});

describe('period secrets', () => {
  it('past their limit are deleted, and what they sealed is forgotten by those who had them', async () => {
    const [subject = ''] = await subjects([address()]);
    const [short, long] = [await seal(subject, 'e1'), await seal(subject, 'e30')];
    expect([await open(short), await open(long)]).toEqual(['x', 'x']);
    await world.admin.query(`update vault.period_secret set forget_at = now() where class = 'e1'`);
    await dirty();
    expect(await keeper.forgetDue()).toEqual({ periods: 1, contentKeys: 0, subjects: 0 });
    await vi.waitFor(() => expect(open(short)).rejects.toThrow(forgotten), 1000);
    expect(await open(long)).toBe('x');
    expect(await dirty()).toEqual(['vault.period_secret']);
  });

  it('end ten minutes before the limit of what they seal, in the vault and with who has them', async () => {
    await world.admin.query('delete from vault.period_secret');
    await keeper.makeAhead();
    const { rows } = await world.admin.query<{ class: RetentionClass; bucket: string; forget_at: Date }>(
      'select class, bucket, forget_at from vault.period_secret',
    );
    expect(rows).toHaveLength(2 * Object.keys(RETENTION).length);
    for (const row of rows) {
      expect(row.forget_at.getTime()).toBe(bucketLimit(row.class, row.bucket) - 600_000);
    }
    // Nobody deletes it here, so nobody is told: whoever has it knows its end.
    const [subject = ''] = await subjects([address()]);
    const jwe = await seal(subject);
    await world.admin.query(
      `update vault.period_secret set forget_at = now() + interval '3 seconds' where class = 'e30'`,
    );
    const late = await world.vault('delivery');
    const opens = () => late.open(jwe, { account, type: 'envelope', recordId: 'r/1' });
    expect(await opens()).toBe('x');
    await vi.waitFor(() => expect(opens()).rejects.toThrow(forgotten), 10_000);
  });

  it('are not made within ten minutes of their limit', async () => {
    const { bucket } = periodOf('e3', Date.now());
    const ends = (minutes: number) =>
      asOwner(
        `update vault.retention set max_age = now() + make_interval(mins => $2) - to_timestamp($1 || '+00', 'YYYYMMDDHH24TZH')
         where class = 'e3'`,
        [bucket, minutes],
      );
    const [subject = ''] = await subjects([address()]);
    await world.admin.query(`delete from vault.period_secret where class = 'e3'`);
    const sealing = async () =>
      (await world.vault('ingest')).seal(
        { account, subject, period: { class: 'e3', bucket }, type: 'envelope', recordId: 'r/1' },
        'x',
      );
    await ends(9);
    await expect(sealing()).rejects.toThrow(forgotten);
    await ends(11);
    await sealing();
    await world.admin.query(`delete from vault.period_secret where class = 'e3'`);
    await migrateVault(world.ownerUrl);
  });

  it('are made ahead for every class, once, and taken by who seals', async () => {
    const periods = () =>
      world.admin.query<{ class: string; bucket: string }>('select class, bucket from vault.period_secret');
    await world.admin.query('delete from vault.period_secret');
    expect(await keeper.makeAhead()).toBe(2 * Object.keys(RETENTION).length);
    expect(await keeper.makeAhead()).toBe(0);
    const { rows } = await periods();
    for (const name of Object.keys(RETENTION) as (keyof typeof RETENTION)[]) {
      const buckets = rows.filter((row) => row.class === name).map(({ bucket }) => bucket);
      expect(buckets.toSorted()).toEqual([
        periodOf(name, Date.now()).bucket,
        periodOf(name, Date.now() + RETENTION[name].bucketMs).bucket,
      ]);
    }
    const [subject = ''] = await subjects([address()]);
    const calls = vi.spyOn(VaultDatabase.prototype, 'call');
    expect(await open(await seal(subject))).toBe('x');
    expect(calls.mock.calls.map(([name]) => name)).not.toContain('create_periods');
    calls.mockRestore();
    await expect(world.keeper().makeAhead()).rejects.toThrow('needs the key-encryption key');
  });
});

describe('content keys', () => {
  const put = (dropAt: Date, partition = dropAt) =>
    asOwner('select vault.ensure_drop_bucket($1)', [partition]).then(() =>
      world.admin.query(`insert into vault.content_key values ($1, gen_random_uuid(), '')`, [dropAt]),
    );
  const nameOf = (starts: Date): string => `content_key_${starts.toISOString().slice(0, 13).replaceAll(/[-T]/g, '')}`;

  it('go with their partition at their drop time, and those still to be kept stay', async () => {
    const kept = { messageId: randomUUID(), dropAt: boundary(24) };
    const [key] = await ingest.createContentKeys([kept]);
    for (const hours of [-30, -30, -12, 0]) await put(boundary(hours));
    const heard = vi.fn<(kind: string, id: string) => void>();
    ingest.onRevoked(heard);
    await dirty();
    expect(await keeper.forgetDue()).toEqual({ periods: 0, contentKeys: 4, subjects: 0 });
    for (const hours of [-30, -12, 0]) expect(await exists(nameOf(boundary(hours)))).toBe(false);
    expect(await exists(nameOf(boundary(6)))).toBe(true);
    expect(await dirty()).toEqual([null]);
    expect(await (await world.vault('delivery')).contentKey(kept.messageId, kept.dropAt)).toEqual(key);
    await vi.waitFor(() => expect(heard).toHaveBeenCalledWith('dropped', expect.stringMatching(/Z$/)), 1000);
    expect((await keeper.forgetDue()).contentKeys).toBe(0);
  });

  it('go with what says who condemned them', async () => {
    const [due, kept] = [boundary(0), boundary(24)];
    await put(due);
    const request = randomUUID();
    for (const dropAt of [due, kept]) {
      await world.admin.query('insert into vault.condemnation values ($1, gen_random_uuid(), $2)', [dropAt, request]);
    }
    await keeper.forgetDue();
    const { rows } = await world.admin.query('select drop_at from vault.condemnation where request_id = $1', [request]);
    expect(rows).toEqual([{ drop_at: kept }]);
  });

  it('are counted before all others are locked out', async () => {
    const due = boundary(-6);
    for (let n = 0; n < 3; n += 1) await put(due);
    const forgetting = new Client({ connectionString: world.urls.privacy });
    await forgetting.connect();
    const waits = async () =>
      (
        await world.admin.query(
          `select from pg_locks where relation = 'vault.content_key'::regclass and mode = 'AccessExclusiveLock' and not granted
             and database = (select oid from pg_database where datname = current_database())`,
        )
      ).rowCount === 1;
    // Whoever reads keeps it from its lock, for a second at most: on a busy machine it is asked again, as the worker does.
    const counted = async (): Promise<number | null | undefined> => {
      await world.admin.query('begin');
      await world.admin.query('select from vault.content_key limit 1');
      const answer = forgetting.query<{ gone: number | null }>('select vault.forget_drop_bucket() as gone').then(
        ({ rows }) => rows[0]?.gone,
        () => undefined,
      );
      const waited = await until(waits, 5_000, 10);
      if (waited)
        await world.admin.query(
          `delete from vault.${nameOf(due)} where ctid = (select min(ctid) from vault.${nameOf(due)})`,
        );
      const late = await Promise.race([answer.then(() => true), Promise.resolve(false)]);
      await world.admin.query(waited && !late ? 'commit' : 'rollback');
      return waited ? answer : undefined;
    };
    let gone: number | null | undefined;
    expect(await until(async () => (gone = await counted()) !== undefined, 20_000)).toBe(true);
    await forgetting.end();
    expect(gone).toBe(3);
    expect(await exists(nameOf(due))).toBe(false);
  });

  it('of a partition that holds later ones too go one by one', async () => {
    const last = new Date(boundary(6).getTime() - 1);
    await put(boundary(0));
    await put(last, boundary(0));
    await keeper.forgetDue();
    const { rows } = await world.admin.query(`select drop_at from vault.${nameOf(boundary(0))}`);
    expect(rows).toEqual([{ drop_at: last }]);
    await world.admin.query(`drop table vault.${nameOf(boundary(0))}`);
  });
});

it('readings say how old the oldest is, and that there is none', async () => {
  const all = async () =>
    new Map((await keeper.readings()).map((row) => [`${row.store} ${row.class}`, [row.limitSeconds, row.oldestAt]]));
  const dropAt = boundary(30);
  await world.admin.query('delete from vault.content_key');
  await world.admin.query('delete from vault.subject');
  await world.admin.query('delete from vault.period_secret');
  const empty = await all();
  expect([...empty.keys()].toSorted()).toEqual(
    [
      ...Object.keys(RETENTION).map((name) => `vault.period_secret ${name}`),
      'vault.content_key body',
      'vault.content_key instructed',
      'vault.subject subject',
    ].toSorted(),
  );
  expect(new Set([...empty.values()].map(([, oldest]) => oldest))).toEqual(new Set([null]));

  const [subject = ''] = await subjects([address()]);
  await unused([subject], 3);
  await seal(subject);
  await ingest.createContentKeys([{ messageId: randomUUID(), dropAt }]);
  const full = await all();
  const midnight = Math.floor(Date.now() / DAY) * DAY;
  const midnightSoon = Math.floor((Date.now() + HOUR) / DAY) * DAY;
  expect(full.get('vault.subject subject')).toEqual([(32 * DAY) / 1000, midnightSoon - 3 * DAY]);
  expect(full.get('vault.period_secret e30')).toEqual([(30 * DAY) / 1000, midnight]);
  expect(full.get('vault.period_secret e1')).toEqual([DAY / 1000, null]);
  expect(full.get('vault.content_key body')).toEqual([(7 * DAY) / 1000, dropAt.getTime() - 7 * DAY + 600_000]);
  // Exactly due, it is not too old yet: nobody can have made it earlier.
  expect(full.get('vault.content_key instructed')).toEqual([(30 * DAY) / 1000, null]);
  const longer = boundary(10 * 24);
  await ingest.createContentKeys([{ messageId: randomUUID(), dropAt: longer }]);
  const both = await all();
  expect(both.get('vault.content_key body')).toEqual(full.get('vault.content_key body'));
  expect(both.get('vault.content_key instructed')?.[1]).toBe(longer.getTime() - 30 * DAY + 600_000);
  const tooLate = new Date(Math.ceil((Date.now() + 30 * DAY - 540_000) / (6 * HOUR)) * 6 * HOUR);
  await expect(ingest.createContentKeys([{ messageId: randomUUID(), dropAt: tooLate }])).rejects.toThrow(RangeError);
});
