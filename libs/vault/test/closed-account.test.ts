import { periodOf } from '@lethe/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Vault, VaultKeeper } from '../src/index.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

const forgotten = expect.objectContaining({ name: 'ForgottenError' });

let world: VaultWorld;
let ingest: Vault;
let delivery: Vault;
let keeper: VaultKeeper;
let account: string;
let neighbour: string;

beforeAll(async () => {
  world = await vaultWorld();
  ingest = await world.vault('ingest');
  delivery = await world.vault('delivery');
  keeper = world.keeper();
  [account, neighbour] = [await world.account(), await world.account()];
});
afterAll(() => world.close());

const people = (of: string, many: number): Promise<string[]> =>
  ingest.subjectsFor(
    of,
    Array.from({ length: many }, () => `${randomUUID()}@example.com`),
  );
const expected = (of: string) => ({ account: of, type: 'envelope', recordId: 'r/1' });
const sealFor = (of: string, subject: string) =>
  ingest.seal({ ...expected(of), subject, period: periodOf('e30', Date.now()) }, 'x');
const close = async (of: string): Promise<void> => {
  const position = (await keeper.state()).position + 1;
  await keeper.destroy([{ position, account: of, subjects: [], messages: [] }]);
};
/** Where the account's secrets and names lie. */
const places = async (of: string): Promise<string[]> => {
  const { rows } = await world.admin.query<{ place: string }>(
    `select 'vault.account' as place from vault.account where account_id = $1
     union select k.tableoid::regclass::text from vault.subject_secret k join vault.subject s using (week, subject_id) where s.account_id = $1
     union select n.tableoid::regclass::text from vault.subject_name n where n.account_id = $1`,
    [of],
  );
  return rows.map(({ place }) => place);
};

it('a closed account opens nothing from that moment on, makes nobody, and its neighbour goes on', async () => {
  // More than one step takes.
  const [hers, theirs] = [await people(account, 1_200), await people(neighbour, 2)];
  const [jwe, other] = [await sealFor(account, hers[0] ?? ''), await sealFor(neighbour, theirs[0] ?? '')];
  const typed = await ingest.sealForAccount({ ...expected(account), period: 'standing' }, 'typed');
  expect(await delivery.open(jwe, expected(account))).toBe('x');
  const laidIn = await places(account);
  await world.admin.query('delete from vault.dirty');

  await close(account);
  await vi.waitFor(() => expect(delivery.open(jwe, expected(account))).rejects.toThrow(forgotten), 1_000);
  await vi.waitFor(() => expect(sealFor(account, hers[1] ?? '')).rejects.toThrow(forgotten), 1_000);
  await expect(delivery.openForAccount(typed, expected(account))).rejects.toThrow(forgotten);
  await expect(people(account, 1)).rejects.toThrow(forgotten);
  await expect(delivery.pseudonym(account, 'a@example.com')).rejects.toThrow(forgotten);
  expect(await keeper.accountResidual(account)).toEqual({ accounts: 0, secrets: 1_200, names: 1_200 });

  await keeper.forgetClosed();
  expect(await keeper.accountResidual(account)).toEqual({ accounts: 0, secrets: 0, names: 0 });
  const { rows: left } = await world.admin.query('select from vault.subject where account_id = $1', [account]);
  expect(left).toEqual([]);
  const { rows: dirty } = await world.admin.query<{ relation: string }>('select distinct relation from vault.dirty');
  expect(dirty.map(({ relation }) => relation)).toEqual(expect.arrayContaining(laidIn));

  expect(await delivery.open(other, expected(neighbour))).toBe('x');
  expect(await people(neighbour, 1)).toHaveLength(1);
  expect(await keeper.accountResidual(neighbour)).toEqual({ accounts: 1, secrets: 3, names: 3 });
});

it('is closed again where the ledger says so to a vault that had it still', async () => {
  const again = await world.account();
  await people(again, 3);
  const before = (await keeper.state()).position;
  await close(again);
  await keeper.forgetClosed();
  // As a backup of before would be.
  await world.admin.query('update vault.state set position = $1', [before]);
  await world.admin.query(`insert into vault.account values ($1, 'old', 'old')`, [again]);
  await world.admin.query('delete from vault.closed_account where account_id = $1', [again]);
  await world.admin.query(
    `insert into vault.subject (subject_id, account_id, week, last_used) values ($1, $2, current_date, current_date)`,
    [randomUUID(), again],
  );
  await close(again);
  await keeper.forgetClosed();
  expect(await keeper.accountResidual(again)).toEqual({ accounts: 0, secrets: 0, names: 0 });
  const { rows } = await world.admin.query('select from vault.subject where account_id = $1', [again]);
  expect(rows).toEqual([]);
});
