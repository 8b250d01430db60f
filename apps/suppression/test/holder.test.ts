import { randomUUID } from 'node:crypto';
import { holderConformance } from '@lethe/privacy-holder/conformance';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { StandingUseWorker } from '../src/privacy/standing-use.worker.ts';
import { STORES } from '../src/privacy/stores.ts';
import { fail, failedEvent, publishEvents } from './support/failures.ts';
import { becomes, bounced, entered, fenced, heldOf, holderOf, subjectOf } from './support/people.ts';
import { startSurroundings, type Domain, type Surroundings } from './support/surroundings.ts';

const NOTHING = { found: {}, removed: {} };
const some = (n: number) => ({ found: { suppression: n }, removed: { suppression: n } });

holderConformance('suppression', async () => {
  const around = await startSurroundings(inject('stores'));
  const domain = await around.domain();
  const second = await around.domain(domain.account);
  return {
    holder: holderOf(around),
    accountId: domain.account,
    kinds: ['suppression'],
    stores: STORES,
    filled: [],
    plant: async () => {
      const address = `${randomUUID()}@x.example`;
      for (const of of [domain, second]) await bounced(around, of, address);
      return { subject: await subjectOf(around, domain, address), planted: { suppression: 2 } };
    },
    others: async (people) => {
      const subjects = people.map(({ subject }) => subject);
      const { rows } = await around.database.query<{ row: string; key: string }>(
        `SELECT s::text AS row, rtrim(translate(encode(pseudonym, 'base64'), '+/', '-_'), '=') || ':' || scope_id AS key
           FROM suppression s WHERE NOT subject_id = ANY($1) ORDER BY s::text`,
        [subjects],
      );
      return rows.map(({ row, key }) => ({ row, published: around.table.get(key) ?? null }));
    },
    close: () => around.close(),
  };
});

describe('what an erasure leaves', () => {
  let around: Surroundings;
  let ana: Domain;
  let address: string;

  beforeAll(async () => {
    around = await startSurroundings(inject('stores'));
    ana = await around.domain();
  });
  afterAll(() => around?.close());
  beforeEach(() => {
    address = `${randomUUID()}@x.example`;
  });

  const rowsOf = async (of = address) => {
    const pseudonym = await around.vault.suppression.pseudonym(ana.account, of);
    const { rows } = await around.database.query<{ reason: string; subject_id: string | null; sealed: string | null }>(
      'SELECT reason, subject_id, sealed FROM suppression WHERE pseudonym = $1 ORDER BY reason',
      [pseudonym],
    );
    return rows;
  };
  const held = () => heldOf(around, ana, address);

  it('declares every table and column, and none more', async () => {
    const { rows } = await around.database.query<{ name: string; columns: string[] }>(
      `SELECT table_schema || '.' || table_name AS name, array_agg(column_name::text) AS columns
         FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1`,
    );
    const found = Object.fromEntries(rows.map(({ name, columns }) => [name, columns.toSorted()]));
    expect(Object.fromEntries(STORES.map(({ table, columns }) => [table, Object.keys(columns).toSorted()]))).toEqual(
      found,
    );
  });

  it('keep: a pseudonym that stops mail of every domain, and nothing else', async () => {
    await bounced(around, ana, address);
    expect(await becomes(held, { domain: 'bounce', account: null })).toEqual({ domain: 'bounce', account: null });
    const scope = await fenced(around, ana, [address], 'keep');
    expect(await holderOf(around).erase(scope)).toEqual(some(1));
    const left = { domain: null, account: 'do-not-contact' };
    expect(await becomes(held, left)).toEqual(left);
    expect(await rowsOf()).toEqual([{ reason: 'do-not-contact', subject_id: null, sealed: null }]);
    expect(await holderOf(around).erase(scope)).toEqual(NOTHING);
    expect(await holderOf(around).verify(scope)).toEqual({});
    expect((await around.call(ana, 'GET', `/${address}`)).status).toBe(404);
    expect((await around.call(ana, 'GET', '')).body['items']).toEqual([]);
  });

  it('keep of somebody nothing was held of, and whom the vault never knew', async () => {
    const scope = await fenced(around, ana, [address], 'keep');
    expect(scope.subjects.size).toBe(0);
    expect(await holderOf(around).erase(scope)).toEqual(NOTHING);
    const left = { domain: null, account: 'do-not-contact' };
    expect(await becomes(held, left)).toEqual(left);
  });

  it('default: nothing of a mailbox that does not exist, "stop" of who said so', async () => {
    const stopped = `stop-${address}`;
    await bounced(around, ana, address, stopped);
    await entered(around, ana, stopped, 'unsubscribe');
    const scope = await fenced(around, ana, [address, stopped], 'default');
    expect(await holderOf(around).erase(scope)).toEqual(some(3));
    const both = async () => [await held(), await heldOf(around, ana, stopped)];
    const left = [
      { domain: null, account: null },
      { domain: null, account: 'do-not-contact' },
    ];
    expect(await becomes(both, left)).toEqual(left);
    // And it stays when they are erased again.
    await holderOf(around).erase(await fenced(around, ana, [stopped], 'default'));
    expect(await rowsOf(stopped)).toHaveLength(1);
  });

  it('remove: nothing, also of who is left as a pseudonym alone', async () => {
    await holderOf(around).erase(await fenced(around, ana, [address], 'keep'));
    expect(await becomes(held, { domain: null, account: 'do-not-contact' })).toMatchObject({
      account: 'do-not-contact',
    });
    const scope = await fenced(around, ana, [address], 'remove');
    expect(await holderOf(around).erase(scope)).toEqual(some(1));
    expect(await becomes(held, { domain: null, account: null })).toEqual({ domain: null, account: null });
    expect(await rowsOf()).toEqual([]);
  });

  it('who comes back is somebody new: not erased with the former, and still not mailed', async () => {
    await bounced(around, ana, address);
    const scope = await fenced(around, ana, [address], 'keep');
    await holderOf(around).erase(scope);
    await fail(around, ana, { to: address });
    const back = { domain: 'bounce', account: 'do-not-contact' };
    expect(await becomes(held, back)).toEqual(back);
    // Asked again, as after a kill.
    expect(await holderOf(around).erase(scope)).toEqual(NOTHING);
    expect(await holderOf(around).verify(scope)).toEqual({});
    expect(await held()).toEqual(back);
    expect((await around.call(ana, 'GET', `/${address}`)).body['address']).toBe(address);
  });

  it('what lies under an earlier subject of the same person goes too', async () => {
    await bounced(around, ana, address);
    const first = await subjectOf(around, ana, address);
    // As if it had been forgotten for disuse.
    await around.vaultAdmin.query('DELETE FROM vault.subject_secret WHERE subject_id = $1', [first]);
    await around.vaultAdmin.query('DELETE FROM vault.subject WHERE subject_id = $1', [first]);
    const anew = async () => (await subjectOf(around, ana, address)) !== first;
    expect(await until(anew, 5_000)).toBe(true);
    const scope = await fenced(around, ana, [address], 'remove');
    expect(scope.subjects).not.toContain(first);
    expect(await holderOf(around).verify(scope)).toEqual({ suppression: 1 });
    expect(await holderOf(around).erase(scope)).toEqual(some(1));
    expect(await rowsOf()).toEqual([]);
  });

  it('a fence waits for what is under way in another replica, and lets nothing through after it', async () => {
    const event = await failedEvent(around, ana, { to: address });
    const pseudonym = await around.vault.suppression.pseudonym(ana.account, address);
    const other = await around.database.connect();
    // Holds up the change of this person between its seal and its commit.
    await other.query('SELECT pg_advisory_lock(1, $1)', [pseudonym.readUInt8(0)]);
    await publishEvents(around, [event]);
    const waits = async (lock: number) =>
      (
        await around.database.query(
          `SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
          [lock],
        )
      ).rowCount !== 0;
    expect(await until(() => waits(1), 5_000, 10)).toBe(true);
    let isFenced = false;
    const requestId = randomUUID();
    const { cutOff, subjects } = await around.keeper.fence(requestId, ana.account, [pseudonym]);
    const about = { requestId, accountId: ana.account, subjects: new Set(subjects.map(({ subject }) => subject)) };
    const scope = { ...about, cutOff: cutOff.getTime(), doNotContact: 'remove' as const };
    const fences = around.replicas.map((app) => app.get(PersonalDataHolder).fence(scope));
    const all = Promise.all(fences).then(() => (isFenced = true));
    expect(await until(() => waits(2), 5_000, 10)).toBe(true);
    expect(isFenced).toBe(false);
    await other.query('SELECT pg_advisory_unlock_all()');
    other.release();
    await all;
    expect(await holderOf(around).erase(scope)).toEqual(some(1));
    await publishEvents(around, [event]);
    await fail(around, ana, { to: `marker-${address}` });
    const marker = async () => (await heldOf(around, ana, `marker-${address}`)).domain;
    expect(await becomes(marker, 'bounce')).toBe('bounce');
    expect(await rowsOf()).toEqual([]);
  });

  it('verify is not content while the end of it has not reached Kafka', async () => {
    await bounced(around, ana, address);
    const scope = await fenced(around, ana, [address], 'remove');
    await holderOf(around).erase(scope);
    const key = await around.keyOf(ana, address);
    // Held by a transaction, so that no relay takes it.
    const other = await around.database.connect();
    const headers = {
      ce_specversion: '1.0',
      ce_id: 'x',
      ce_type: 'suppression',
      ce_source: 'suppression',
      ce_time: '',
    };
    const { rows } = await around.database.query<{ id: string }>(
      'INSERT INTO outbox (records) VALUES ($1) RETURNING id',
      [JSON.stringify([{ topic: 'suppression-entries', key, value: null, headers }])],
    );
    await other.query('BEGIN');
    await other.query('SELECT FROM outbox WHERE id = $1 FOR UPDATE', [rows[0]?.id]);
    await expect(holderOf(around).verify(scope)).rejects.toThrow(/full/);
    await other.query('ROLLBACK');
    other.release();
    expect(await until(async () => (await holderOf(around).verify(scope)) !== undefined, 10_000)).toBe(true);
  });

  it('whom a standing entry refers to is in use today; nobody else becomes so', async () => {
    await bounced(around, ana, address);
    const unlisted = `unlisted-${address}`;
    const subjects = [await subjectOf(around, ana, address), await subjectOf(around, ana, unlisted)];
    const read = async () => {
      const { rows } = await around.vaultAdmin.query<{ today: boolean }>(
        `SELECT last_used = (now() AT TIME ZONE 'UTC')::date AS today FROM unnest($1::uuid[]) WITH ORDINALITY AS w (id, n)
           JOIN vault.subject s ON s.subject_id = w.id ORDER BY n`,
        [subjects],
      );
      return rows.map(({ today }) => today);
    };
    await around.vaultAdmin.query(`UPDATE vault.subject SET last_used = last_used - 20`);
    expect(await read()).toEqual([false, false]);
    expect(await around.replicas[0].get(StandingUseWorker).noteUse()).toBeGreaterThan(0);
    expect(await read()).toEqual([true, false]);
  });
});
