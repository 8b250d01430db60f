import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyWrap } from '../src/crypto/key-wrap.ts';
import type { Vault } from '../src/index.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

let world: VaultWorld;
let ingest: Vault;
let account: string;

beforeAll(async () => {
  world = await vaultWorld();
  ingest = await world.vault('ingest');
  account = await world.account();
});
afterAll(() => world.close());

describe('subjects', () => {
  it('are the same person each time, another in another account, and random (uuid v4)', async () => {
    const people = ['a@example.com', 'b@example.com', 'a@example.com'];
    const [a, b, again] = await ingest.subjectsFor(account, people);
    expect(again).toBe(a);
    expect(b).not.toBe(a);
    expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
    const other = await ingest.subjectsFor(await world.account(), ['a@example.com']);
    expect(other).not.toEqual([a]);
    const elsewhere = await world.vault('suppression');
    expect(await elsewhere.subjectsFor(account, people)).toEqual([a, b, a]);
  });

  it('are made once when several processes meet the same people in different order', async () => {
    const people = Array.from({ length: 200 }, (_, index) => `race${index}@example.com`);
    const doors = await Promise.all([1, 2, 3, 4].map(() => world.vault('ingest')));
    const answers = await Promise.all(
      doors.map((door, index) => door.subjectsFor(account, index % 2 === 0 ? people : people.toReversed())),
    );
    const [first, second, third, fourth] = answers.map((ids, index) => (index % 2 === 0 ? ids : ids.toReversed()));
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    expect(fourth).toEqual(first);
    const { rows } = await world.admin.query<{ subjects: string; secrets: string }>(
      `select (select count(*) from vault.subject where subject_id = any($1)) as subjects,
        (select count(*) from vault.subject_secret where subject_id = any($1)) as secrets`,
      [first],
    );
    expect(rows).toEqual([{ subjects: '200', secrets: '200' }]);
  });

  it('are found by their index alone, however large the tables become', async () => {
    const names = [1, 2, 3].map(() => randomBytes(32));
    const accounts = names.map(() => account);
    // As small as they are now, reading them whole would be cheaper.
    await world.admin.query('analyze vault.subject, vault.subject_name');
    await world.admin.query('begin');
    await world.admin.query('select vault.create_subjects($1, $2, $3, $4)', [
      accounts,
      names,
      names.map(() => randomUUID()),
      names.map(() => randomBytes(40)),
    ]);
    await world.admin.query('select vault.find_subjects($1, $2)', [accounts, names]);
    const { rows } = await world.admin.query<{ whole: number; by_index: number }>(
      `select sum(seq_scan)::int as whole, sum(idx_scan)::int as by_index from pg_stat_xact_user_tables
       where schemaname = 'vault' and relname ~ '^subject(_name_[0-9]+)?$'`,
    );
    await world.admin.query('rollback');
    expect(rows[0]?.whole).toBe(0);
    expect(rows[0]?.by_index).toBeGreaterThan(names.length);
  });

  it('need an account that exists', async () => {
    await expect(ingest.subjectsFor(randomUUID(), ['a@example.com'])).rejects.toThrow('account');
  });

  it('have their last use noted once a day', async () => {
    const [subject] = await ingest.subjectsFor(account, ['used@example.com']);
    await world.admin.query(`update vault.subject set last_used = last_used - 3 where subject_id = $1`, [subject]);
    const later = await world.vault('ingest');
    await later.subjectsFor(account, ['used@example.com']);
    const { rows } = await world.admin.query<{ today: boolean }>(
      `select last_used = (now() at time zone 'UTC')::date as today from vault.subject where subject_id = $1`,
      [subject],
    );
    expect(rows).toEqual([{ today: true }]);
  });
});

describe('pseudonyms', () => {
  it('are HMAC-SHA-256 under the account’s own key', async () => {
    const { rows } = await world.admin.query<{ pseudonym_key: Buffer }>(
      'select pseudonym_key from vault.account where account_id = $1',
      [account],
    );
    const key = new KeyWrap(world.kek).unwrap(rows[0]?.pseudonym_key);
    const whole = createHmac('sha256', key).update('lethe/subject/v1\0person@example.com').digest();
    expect(await ingest.pseudonym(account, 'person@example.com')).toEqual(whole);
  });

  it('stay the same when the account is ensured again', async () => {
    const before = await ingest.pseudonym(account, 'person@example.com');
    await (await world.vault('accounts')).ensureAccount(account);
    expect(await (await world.vault('delivery')).pseudonym(account, 'person@example.com')).toEqual(before);
  });
});

describe('content keys', () => {
  const boundary = (hours: number): Date =>
    new Date(Math.floor((Date.now() + hours * 3_600_000) / 21_600_000) * 21_600_000);

  it('are random, the same for who reads them, and the same when asked for again', async () => {
    const messages = [1, 2, 3].map(() => ({ messageId: randomUUID(), dropAt: boundary(167) }));
    const keys = await ingest.createContentKeys(messages);
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(3);
    const delivery = await world.vault('delivery');
    expect(await Promise.all(messages.map(({ messageId, dropAt }) => delivery.contentKey(messageId, dropAt)))).toEqual(
      keys,
    );
    expect(await ingest.createContentKeys(messages)).toEqual(keys);
  });

  it('are the caller’s own: clearing one does not clear the cache', async () => {
    const message = { messageId: randomUUID(), dropAt: boundary(24) };
    const [key] = await ingest.createContentKeys([message]);
    const copy = Buffer.from(key);
    key?.fill(0);
    expect(await ingest.contentKey(message.messageId, message.dropAt)).toEqual(copy);
  });

  it('get their partition when it is not there yet, also from several at once', async () => {
    await world.admin.query(`select vault.ensure_drop_bucket($1)`, [boundary(30)]);
    const parts = await world.admin.query<{ part: string }>(
      `select oid::regclass::text as part from pg_class where relispartition and relname like 'content_key_%' and relkind = 'r'`,
    );
    for (const { part } of parts.rows) await world.admin.query(`drop table ${part}`);
    const doors = await Promise.all([1, 2, 3, 4].map(() => world.vault('ingest')));
    const message = { messageId: randomUUID(), dropAt: boundary(30) };
    const keys = await Promise.all(doors.map((door) => door.createContentKeys([message])));
    expect(new Set(keys.map(([key]) => key?.toString('hex'))).size).toBe(1);
  });

  it.each([
    ['beyond the limit', () => boundary(31 * 24)],
    ['past', () => boundary(-6)],
    ['off the grid', () => new Date(boundary(24).getTime() + 1000)],
  ])('are not made for a drop time %s', async (_, dropAt) => {
    await expect(ingest.createContentKeys([{ messageId: randomUUID(), dropAt: dropAt() }])).rejects.toThrow(RangeError);
  });
});
