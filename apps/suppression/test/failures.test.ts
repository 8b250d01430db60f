import { randomUUID } from 'node:crypto';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { fail, failedEvent, publishEvents } from './support/failures.ts';
import { startSurroundings, type Domain, type Surroundings } from './support/surroundings.ts';

let around: Surroundings;
let ana: Domain;

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
  ana = await around.domain();
});
afterAll(() => around?.close());

const entry = async (address: string, domain = ana) => around.table.get(await around.keyOf(domain, address));
const get = (address: string) => around.call(ana, 'GET', `/${encodeURIComponent(address)}`);
const inForce = async (address: string, withinMs = 10_000) =>
  until(async () => (await entry(address)) !== undefined, withinMs, 5);

describe('mail that found no mailbox', () => {
  it('is an entry within a second, with what the server said', async () => {
    // The first of all joins connections and keys.
    await fail(around, ana, { to: 'first@x.example' });
    expect(await inForce('first@x.example')).toBe(true);
    const at = Date.now();
    await fail(around, ana, { to: 'Gone.Away@x.example', code: 553, reply: '5.1.3 <recipient> is nobody', at });
    expect(await inForce('gone.away@x.example', 1_000)).toBe(true);
    expect(await entry('gone.away@x.example')).toEqual({ reasons: ['bounce'], at });
    expect((await get('gone.away@x.example')).body).toEqual({
      address: 'Gone.Away@x.example',
      code: '553',
      error: '5.1.3 <recipient> is nobody',
      created_at: new Date(at).toUTCString(),
    });
  });

  it('counts for its domain alone', async () => {
    const second = await around.domain(ana.account);
    expect(await inForce('first@x.example')).toBe(true);
    expect(await entry('first@x.example', second)).toBeUndefined();
  });

  it('is no entry if the mailbox may well be there', async () => {
    await fail(
      around,
      ana,
      { to: 'reputation@x.example', noSuchMailbox: false },
      { to: 'later@x.example', severity: 'temporary' },
      { to: 'marker@x.example' },
    );
    expect(await inForce('marker@x.example')).toBe(true);
    await fail(around, ana, { to: 'marker2@x.example' });
    expect(await inForce('marker2@x.example')).toBe(true);
    for (const address of ['reputation@x.example', 'later@x.example']) {
      expect([await entry(address), (await get(address)).status]).toEqual([undefined, 404]);
    }
  });

  it('published twice changes nothing and is told once', async () => {
    const [event] = await fail(around, ana, { to: 'twice@x.example' });
    expect(await inForce('twice@x.example')).toBe(true);
    const before = await around.database.query('SELECT id FROM suppression ORDER BY id');
    const told: string[] = [];
    around.table.onChange((key) => told.push(key));
    await publishEvents(around, [event]);
    await fail(around, ana, { to: 'after-twice@x.example' });
    expect(await inForce('after-twice@x.example')).toBe(true);
    const key = await around.keyOf(ana, 'twice@x.example');
    expect(told).not.toContain(key);
    const { rows } = await around.database.query('SELECT id FROM suppression ORDER BY id');
    expect(rows).toHaveLength(before.rows.length + 1);
    expect(rows).toEqual(expect.arrayContaining(before.rows));
  });

  it('is no entry of who is forgotten, nor of what cannot be opened; the others go on', async () => {
    const gone = await failedEvent(around, ana, { to: 'forgotten@x.example' });
    await around.vaultAdmin.query('UPDATE vault.subject SET cut_off = now() WHERE subject_id = $1', [
      gone.recipient.subject,
    ]);
    const poisoned = await failedEvent(around, ana, { to: 'poisoned@x.example', poisoned: true });
    const odd = { ...(await failedEvent(around, ana, { to: 'odd@x.example' })), domainId: 'no-uuid' };
    const fine = await failedEvent(around, ana, { to: 'fine@x.example' });
    await publishEvents(around, [gone, poisoned, odd, fine]);
    expect(await inForce('fine@x.example')).toBe(true);
    for (const address of ['forgotten@x.example', 'poisoned@x.example', 'odd@x.example']) {
      expect(await entry(address)).toBeUndefined();
    }
  });

  it('is kept for later while the vault is silent', async () => {
    const event = await failedEvent(around, ana, { to: 'patience@x.example' });
    await around.vaultAdmin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await publishEvents(around, [event]);
    expect(await inForce('patience@x.example', 20_000)).toBe(true);
  });
});

describe('the order of changes', () => {
  it('ends in the topic as it ends in the database, over both replicas', async () => {
    const domain = await around.domain();
    const people = Array.from({ length: 20 }, (_, n) => `${n}@x.example`);
    const turns = people.flatMap((address) => [
      around.call(domain, 'POST', '', { address }),
      around.call(domain, 'DELETE', `/${address}`),
      around.call(domain, 'POST', '', { address }),
      around.call(domain, 'DELETE', `/${address}`),
    ]);
    const answers = await Promise.all(turns);
    expect(answers.every(({ status }) => status === 200 || status === 404)).toBe(true);
    const { rows } = await around.database.query<{ pseudonym: Buffer }>(
      'SELECT pseudonym FROM suppression WHERE scope_id = $1',
      [domain.domainId],
    );
    const expected = rows.map(({ pseudonym }) => `${pseudonym.toString('base64url')}:${domain.domainId}`).toSorted();
    const keys = await Promise.all(people.map((address) => around.keyOf(domain, address)));
    const held = () => keys.filter((key) => around.table.get(key) !== undefined).toSorted();
    expect(await until(() => held().join() === expected.join(), 5_000)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(held()).toEqual(expected);
  });

  it('a change of one person waits for the one before, wherever that is made; others do not wait', async () => {
    const pseudonym = await around.vault.suppression.pseudonym(ana.account, 'waits@x.example');
    const other = await around.database.connect();
    await other.query('SELECT pg_advisory_lock(1, $1)', [pseudonym.readUInt8(0)]);
    let answered = false;
    const waiting = around.call(ana, 'POST', '', { address: 'waits@x.example' }).finally(() => (answered = true));
    const queued = async () =>
      (await around.database.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 1 AND NOT granted`))
        .rowCount === 1;
    expect(await until(queued, 5_000, 10)).toBe(true);
    // One whose lock is another: there are 256.
    const free = await firstWithOtherLock(pseudonym);
    expect((await around.call(ana, 'POST', '', { address: free })).status).toBe(200);
    expect(answered).toBe(false);
    await other.query('SELECT pg_advisory_unlock_all()');
    other.release();
    expect((await waiting).status).toBe(200);
  });

  it('what a crash left in the outbox never follows a newer state', async () => {
    const address = 'stale@x.example';
    await around.call(ana, 'POST', '', { address });
    expect(await inForce(address)).toBe(true);
    const key = await around.keyOf(ana, address);
    const headers = {
      ce_specversion: '1.0',
      ce_id: randomUUID(),
      ce_type: 'suppression',
      ce_source: 'suppression',
      ce_time: '2026-01-01T00:00:00Z',
    };
    const value = JSON.stringify({ reasons: ['bounce'], at: 1 });
    await around.database.query(`INSERT INTO outbox (records, created_at) VALUES ($1, now() + interval '1 second')`, [
      JSON.stringify([{ topic: 'suppression-entries', key, value, headers }]),
    ]);
    expect((await around.call(ana, 'DELETE', `/${address}`)).status).toBe(200);
    expect(await until(() => around.table.get(key) === undefined, 5_000, 10)).toBe(true);
    // Longer than the relay waits for the row above.
    expect(await until(() => around.table.get(key) !== undefined, 5_000)).toBe(false);
  });
});

async function firstWithOtherLock(pseudonym: Buffer): Promise<string> {
  for (let n = 0; ; n += 1) {
    const address = `free${n}@x.example`;
    const other = await around.vault.suppression.pseudonym(ana.account, address);
    if (other.readUInt8(0) !== pseudonym.readUInt8(0)) return address;
  }
}
