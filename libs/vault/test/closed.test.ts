import { periodOf } from '@lethe/contracts';
import { withClient } from '@lethe/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { migrateVault } from '../src/index.ts';
import { tables } from '../src/schema/0001-tables.ts';
import { partitions } from '../src/schema/0002-partitions.ts';
import { revocation } from '../src/schema/0003-revocation.ts';
import { functions } from '../src/schema/0004-functions.ts';
import { ledgerTables } from '../src/schema/0005-ledger-tables.ts';
import { closed } from '../src/schema/0006-closed.ts';
import type { Vault, VaultKeeper } from '../src/index.ts';
import { ownServer } from './support/own-server.ts';
import type { OwnServer } from './support/own-server.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

const refused = expect.objectContaining({
  name: 'VaultUnavailableError',
  retryable: true,
  message: expect.stringContaining('closed until its ledger is applied'),
});

let server: OwnServer;
let world: VaultWorld;
let ingest: Vault;
let delivery: Vault;
let accounts: Vault;
let keeper: VaultKeeper;
let account: string;

beforeAll(async () => {
  server = await ownServer();
  world = await vaultWorld(server.place);
  ingest = await world.vault('ingest', { timeoutMs: 400 });
  delivery = await world.vault('delivery', { timeoutMs: 400 });
  accounts = await world.vault('accounts', { timeoutMs: 400 });
  keeper = world.keeper();
  account = await world.account();
});
afterAll(() => world.close());

const seal = (subject: string) =>
  ingest.seal({ account, subject, period: periodOf('e30', Date.now()), type: 'envelope', recordId: 'r/1' }, 'x');
const open = (jwe: string) => delivery.open(jwe, { account, type: 'envelope', recordId: 'r/1' });
const admin = (sql: string, values: unknown[] = []) =>
  withClient(server.place.adminUrl, (client) => client.query(sql, values));

async function restartedAndClosed(): Promise<void> {
  await server.postgres.restart();
  await vi.waitFor(async () => expect(await keeper.state()).toMatchObject({ open: false }), 5000);
  await vi.waitFor(() => expect(delivery.state()).toBe('closed'), 5000);
}

it('a new vault is open', async () => {
  expect(await keeper.state()).toEqual({ position: 0, open: true, startedAt: expect.any(Date) });
});

it('one that was started answers nobody until it is opened at its position', async () => {
  const [subject = ''] = await ingest.subjectsFor(account, ['someone@example.com']);
  const message = { messageId: randomUUID(), dropAt: new Date(Math.ceil(Date.now() / 21_600_000) * 21_600_000) };
  await ingest.createContentKeys([message]);
  const jwe = await seal(subject);
  expect(await open(jwe)).toBe('x');
  await keeper.destroy([{ position: 1, subjects: [], messages: [] }]);
  const before = (await keeper.state()).startedAt;
  await restartedAndClosed();
  expect((await keeper.state()).startedAt.getTime()).toBeGreaterThan(before.getTime());
  await vi.waitFor(() => expect(ingest.state()).toBe('closed'), 5000);
  const calls = [
    () => open(jwe),
    () => seal(subject),
    () => ingest.subjectsFor(account, ['someone@example.com']),
    () => ingest.pseudonym(account, 'someone@example.com'),
    () => ingest.createContentKeys([message]),
    () => delivery.contentKey(message.messageId, message.dropAt),
  ];
  for (const call of calls) await expect(call()).rejects.toThrow(refused);
  // These ask the vault itself, whatever its revocations say.
  const direct = [
    () => accounts.ensureAccount(randomUUID()),
    () => ingest.useSubjects(account, []),
    () => ingest.useKnownSubjects([]),
    () => ingest.condemnContentKeys(randomUUID(), []),
  ];
  for (const call of direct) await expect(call()).rejects.toThrow(refused);
  expect([delivery.healthy(), ingest.healthy()]).toEqual([false, false]);

  expect(await keeper.open(0)).toBe(false);
  expect(await keeper.open(2)).toBe(false);
  await expect(open(jwe)).rejects.toThrow(refused);
  expect(await keeper.open(1)).toBe(true);
  await vi.waitFor(() => expect(delivery.state()).toBe('open'), 2000);
  expect(await open(jwe)).toBe('x');
  expect(await ingest.subjectsFor(account, ['someone@example.com'])).toEqual([subject]);
});

it('every function that knows keys or names asks first', async () => {
  await restartedAndClosed();
  const id = randomUUID();
  const doors = {
    create_account: [id, Buffer.alloc(40), Buffer.alloc(40)],
    read_pseudonym_keys: [[id]],
    read_secrets: [[], [id], [], []],
    create_periods: [[], [], []],
    find_subjects: [[], []],
    create_subjects: [[], [], [], []],
    create_content_keys: [[], [], []],
    read_content_keys: [[], []],
    use_subjects: [id, []],
    use_known: [[id]],
    condemn_content_keys: [id, [], []],
    fenced_pseudonyms: [id],
  };
  for (const [name, values] of Object.entries(doors)) {
    const places = values.map((_, index) => `$${index + 1}`).join(', ');
    await expect(admin(`select vault.${name}(${places})`, values), name).rejects.toMatchObject({ code: 'LE001' });
  }
  await keeper.open((await keeper.state()).position);
});

it('what the ledger needs is done while it is closed', async () => {
  const [subject = ''] = await ingest.subjectsFor(account, ['other@example.com']);
  const pseudonyms = await ingest.pseudonyms(account, ['other@example.com']);
  const jwe = await seal(subject);
  await restartedAndClosed();
  const { subjects } = await keeper.fence(randomUUID(), account, pseudonyms);
  expect(subjects.map((row) => row.subject)).toEqual([subject]);
  const position = (await keeper.state()).position + 1;
  expect(await keeper.destroy([{ position, subjects: [subject], messages: [] }])).toMatchObject({ subjects: 1 });
  expect(await keeper.state()).toMatchObject({ position, open: false });
  expect(await keeper.open(position)).toBe(true);
  await vi.waitFor(() => expect(open(jwe)).rejects.toThrow(expect.objectContaining({ name: 'ForgottenError' })), 2000);
});

it('a migration does not open a vault with accounts', async () => {
  await restartedAndClosed();
  await migrateVault(server.place.ownerUrl);
  expect(await keeper.state()).toMatchObject({ open: false });
});

it('an upgrade closes a vault with accounts, and leaves one without open', async () => {
  for (const [known, expected] of [
    [1, false],
    [0, true],
  ] as const) {
    const database = `upgraded_${known}`;
    await admin(`create database ${database}`);
    const url = Object.assign(new URL(server.place.adminUrl), { pathname: `/${database}` }).href;
    const rows = await withClient(url, async (client) => {
      await client.query('create schema vault');
      for (const sql of [tables, partitions, revocation, functions]) await client.query(sql);
      if (known > 0) await client.query(`insert into vault.account values (gen_random_uuid(), '', '')`);
      for (const sql of [ledgerTables, closed]) await client.query(sql);
      return (await client.query('select reached::int, opened from vault.read_state()')).rows;
    });
    expect(rows).toEqual([{ reached: 0, opened: expected }]);
  }
});

it('a table restored into a running server is closed', async () => {
  await keeper.open((await keeper.state()).position);
  expect(await keeper.state()).toMatchObject({ open: true });
  await admin(`create table vault.restored (like vault.state including all)`);
  await admin(`insert into vault.restored select * from vault.state`);
  await admin(`drop table vault.state`);
  await admin(`alter table vault.restored rename to state`);
  await admin(`alter table vault.state owner to vault_owner`);
  expect(await keeper.state()).toMatchObject({ open: false });
});
