import { periodOf } from '@lethe/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SubjectSeal, Vault } from '../src/index.ts';
import { VaultDatabase } from '../src/keys/vault-database.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

/** The connection that hears revocations, and all of a service's. */
const LISTENING = `application_name = 'lethe-vault-revocations'`;
const forgotten = expect.objectContaining({ name: 'ForgottenError' });
const unavailable = expect.objectContaining({ name: 'VaultUnavailableError', retryable: true });

let world: VaultWorld;
let ingest: Vault;
let delivery: Vault;
let account: string;

beforeAll(async () => {
  world = await vaultWorld();
  ingest = await world.vault('ingest');
  delivery = await world.vault('delivery', { timeoutMs: 300 });
  account = await world.account();
});
afterAll(() => world.close());

const sealFor = (subject: string): SubjectSeal => ({
  account,
  subject,
  period: periodOf('e30', Date.now()),
  type: 'envelope',
  recordId: 'record/1',
});
const expected = () => ({ account, type: 'envelope', recordId: 'record/1' });

/** A new person with a value sealed, opened once by delivery so that it has the keys in its cache. */
async function person(): Promise<{ address: string; subject: string; jwe: string }> {
  const address = `${randomUUID()}@example.com`;
  const [subject = ''] = await ingest.subjectsFor(account, [address]);
  const jwe = await ingest.seal(sealFor(subject), address);
  expect(await delivery.open(jwe, expected())).toBe(address);
  return { address, subject, jwe };
}

const cutOff = (subject: string) =>
  world.admin.query('update vault.subject set cut_off = now() where subject_id = $1', [subject]);

async function terminate(role: string, which = 'true'): Promise<void> {
  await world.admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = $1 and datname = current_database() and ${which}`,
    [role],
  );
}

async function limitConnections(limit: number): Promise<void> {
  const { rows } = await world.admin.query<{ name: string }>('select quote_ident(current_database()) as name');
  await world.admin.query(`alter database ${rows[0]?.name} connection limit ${limit}`);
}

describe('a subject that is cut off', () => {
  it('is forgotten by those who have its key in memory, within a moment', async () => {
    const { subject, jwe } = await person();
    await cutOff(subject);
    await vi.waitFor(() => expect(delivery.open(jwe, expected())).rejects.toThrow(forgotten), 1000);
    await vi.waitFor(() => expect(ingest.seal(sealFor(subject), 'late')).rejects.toThrow(forgotten), 1000);
  });

  it('comes back as someone new', async () => {
    const { address, subject } = await person();
    await cutOff(subject);
    await vi.waitFor(async () => expect(await ingest.subjectsFor(account, [address])).not.toEqual([subject]), 1000);
    const other = await world.vault('suppression');
    const [again] = await other.subjectsFor(account, [address]);
    expect(await ingest.subjectsFor(account, [address])).toEqual([again]);
  });

  it('leaves everyone else readable', async () => {
    const [first, second] = [await person(), await person()];
    await cutOff(first.subject);
    await vi.waitFor(() => expect(delivery.open(first.jwe, expected())).rejects.toThrow(forgotten), 1000);
    expect(await delivery.open(second.jwe, expected())).toBe(second.address);
  });

  it('is forgotten also when the answer with its key was already under way', async () => {
    const { subject, jwe } = await person();
    const late = await world.vault('delivery');
    const heard = vi.spyOn(late['cache'], 'revoke');
    const call = vi.spyOn(late['database'], 'call');
    const real = VaultDatabase.prototype.call.bind(late['database']);
    call.mockImplementationOnce(async (name, parameters) => {
      const answer = await real(name, parameters);
      await cutOff(subject);
      await vi.waitFor(() => expect(heard).toHaveBeenCalledWith('subject', subject), 1000);
      return answer;
    });
    const opening = late.open(jwe, expected());
    await expect(opening).rejects.toThrow(forgotten);
  });
});

it('what clears everything while an answer is under way only makes it be read again', async () => {
  const { address, jwe } = await person();
  const late = await world.vault('delivery');
  const call = vi.spyOn(late['database'], 'call');
  const real = VaultDatabase.prototype.call.bind(late['database']);
  call.mockImplementationOnce(async (name, parameters) => {
    const answer = await real(name, parameters);
    late['cache'].clear();
    return answer;
  });
  expect(await late.open(jwe, expected())).toBe(address);
  expect(call).toHaveBeenCalledTimes(2);
});

describe('destroyed keys', () => {
  it.each([
    ['account', (id: string) => world.admin.query('delete from vault.account where account_id = $1', [id])],
    ['period', () => world.admin.query(`delete from vault.period_secret where class = 'e3'`)],
    [
      'subject',
      (_: string, subject: string) =>
        world.admin.query('delete from vault.subject_secret where subject_id = $1', [subject]),
    ],
  ])('%s: its values are forgotten', async (_, destroy) => {
    const own = await world.account();
    const [subject = ''] = await ingest.subjectsFor(own, ['someone@example.com']);
    const jwe = await ingest.seal({ ...sealFor(subject), account: own, period: periodOf('e3', Date.now()) }, 'x');
    expect(await delivery.open(jwe, { ...expected(), account: own })).toBe('x');
    await destroy(own, subject);
    await vi.waitFor(
      () => expect(delivery.open(jwe, { ...expected(), account: own })).rejects.toThrow(forgotten),
      1000,
    );
  });

  it('content key: its body is forgotten', async () => {
    const messageId = randomUUID();
    const dropAt = new Date(Math.floor(Date.now() / 21_600_000) * 21_600_000 + 86_400_000);
    const [key] = await ingest.createContentKeys([{ messageId, dropAt }]);
    expect(await delivery.contentKey(messageId, dropAt)).toEqual(key);
    await world.admin.query('delete from vault.content_key where message_id = $1', [messageId]);
    await vi.waitFor(() => expect(delivery.contentKey(messageId, dropAt)).rejects.toThrow(forgotten), 1000);
    await vi.waitFor(() => expect(ingest.contentKey(messageId, dropAt)).rejects.toThrow(forgotten), 1000);
  });
});

describe('when revocations cannot be heard', () => {
  it('the cache is cleared as soon as the connection is cut, and what was missed is known afterwards', async () => {
    const { jwe, subject } = await person();
    const lapsed = vi.fn<() => void>();
    delivery.onLapsed(lapsed);
    await terminate('delivery', LISTENING);
    await vi.waitFor(() => expect(lapsed).toHaveBeenCalled(), 1000);
    await cutOff(subject);
    await vi.waitFor(() => expect(delivery.open(jwe, expected())).rejects.toThrow(forgotten), 3000);
    expect(delivery.healthy()).toBe(true);
  });

  it('fails closed while the vault refuses it, and comes back by itself', async () => {
    const { jwe, address, subject } = await person();
    await limitConnections(0);
    await terminate('delivery');
    await vi.waitFor(() => expect(delivery.healthy()).toBe(false), 2000);
    await expect(delivery.open(jwe, expected())).rejects.toThrow(unavailable);
    await expect(delivery.seal(sealFor(subject), 'x')).rejects.toThrow(unavailable);
    await expect(delivery.contentKey(randomUUID(), new Date())).rejects.toThrow(unavailable);
    await limitConnections(-1);
    await vi.waitFor(async () => expect(await delivery.open(jwe, expected())).toBe(address), 5000);
    expect(delivery.healthy()).toBe(true);
  });

  it('an open connection that does not answer counts as cut after a second', async () => {
    const { jwe, address } = await person();
    const pids = await world.admin.query<{ pid: number }>(
      `select pid from pg_stat_activity where usename = $1 and ${LISTENING} and datname = current_database()`,
      ['delivery'],
    );
    const stopped = pids.rows.map(({ pid }) => pid);
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    try {
      await vi.waitFor(() => expect(delivery.healthy()).toBe(false), 2000);
    } finally {
      for (const pid of stopped) process.kill(pid, 'SIGCONT');
    }
    await vi.waitFor(async () => expect(await delivery.open(jwe, expected())).toBe(address), 5000);
  });

  it('a vault that was never there is unavailable, not forgotten', async () => {
    const { Vault: Made } = await import('../src/index.ts');
    const url = new URL(world.urls.delivery);
    url.port = '1';
    const away = new Made({ url: url.href, kek: world.kek, timeoutMs: 200 });
    away.start();
    await expect(away.ready(200)).rejects.toThrow(unavailable);
    await expect(away.subjectsFor(account, ['someone@example.com'])).rejects.toThrow(unavailable);
    await away.close();
  });
});
