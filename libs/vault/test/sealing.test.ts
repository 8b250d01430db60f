import { periodOf } from '@lethe/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FORGOTTEN } from '../src/index.ts';
import type { SubjectSeal, Vault } from '../src/index.ts';
import { VaultDatabase } from '../src/keys/vault-database.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

const DAY = 86_400_000;
const value = { address: 'someone@example.com', name: 'Some One' };

let world: VaultWorld;
let ingest: Vault;
let delivery: Vault;
let account: string;
let subject: string;

beforeAll(async () => {
  world = await vaultWorld();
  ingest = await world.vault('ingest');
  delivery = await world.vault('delivery');
  account = await world.account();
  [subject = ''] = await ingest.subjectsFor(account, ['someone@example.com']);
});
afterAll(() => world.close());

const context = (changes: Partial<SubjectSeal> = {}): SubjectSeal => ({
  account,
  subject,
  period: periodOf('e30', Date.now()),
  type: 'envelope',
  recordId: 'record/1',
  ...changes,
});
const expected = () => ({ account, type: 'envelope', recordId: 'record/1' });

describe('sealing', () => {
  it('one service opens what another sealed', async () => {
    const jwe = await ingest.seal(context(), value);
    expect(jwe).not.toContain(Buffer.from('someone').toString('base64url').slice(0, 8));
    expect(await delivery.open(jwe, expected())).toEqual(value);
  });

  it('standing values need no period', async () => {
    const jwe = await ingest.seal(context({ period: 'standing' }), value);
    expect(await delivery.open(jwe, expected())).toEqual(value);
  });

  it('an account has keys of its own', async () => {
    const { subject: _, ...forAccount } = context({ period: 'standing', type: 'dkim-key' });
    const jwe = await ingest.sealForAccount(forAccount, { privateKey: 'pem' });
    expect(await delivery.openForAccount(jwe, { ...expected(), type: 'dkim-key' })).toEqual({ privateKey: 'pem' });
    await expect(delivery.open(jwe, { ...expected(), type: 'dkim-key' })).rejects.toThrow('another type');
  });

  it.each([
    ['wrong-account', { account: randomUUID() }],
    ['wrong-type', { type: 'reply' }],
    ['wrong-record', { recordId: 'record/2' }],
  ])('%s: cannot be moved', async (code, changes) => {
    const jwe = await ingest.seal(context(), value);
    await expect(delivery.open(jwe, { ...expected(), ...changes })).rejects.toMatchObject({ code });
  });

  it('many at once, in order, whoever is new', async () => {
    const people = Array.from({ length: 1500 }, (_, index) => `person${index}@example.com`);
    const subjects = await ingest.subjectsFor(account, people);
    expect(new Set(subjects).size).toBe(1500);
    const sealed = await ingest.sealMany(
      people.map((address, index) => ({
        seal: context({ subject: subjects[index], recordId: `many/${index}` }),
        value: address,
      })),
    );
    const opened = await delivery.openMany(
      sealed.map((jwe, index) => ({ jwe, expected: { account, type: 'envelope', recordId: `many/${index}` } })),
    );
    expect(opened).toEqual(people);
  });

  it('a small cache is enough', async () => {
    const small = await world.vault('delivery', { batch: 10, cachedSubjects: 1 });
    const people = Array.from({ length: 300 }, (_, index) => `few${index}@example.com`);
    const subjects = await ingest.subjectsFor(account, people);
    const sealed = await ingest.sealMany(
      people.map((address, index) => ({ seal: context({ subject: subjects[index] }), value: address })),
    );
    expect(await small.openMany(sealed.map((jwe) => ({ jwe, expected: expected() })))).toEqual(people);
  });

  it('asks once for all that is missing in one turn', async () => {
    const fresh = await world.vault('delivery');
    const sealed = await Promise.all(Array.from({ length: 20 }, () => ingest.seal(context(), value)));
    const calls = vi.spyOn(VaultDatabase.prototype, 'call');
    await fresh.openMany(sealed.map((jwe) => ({ jwe, expected: expected() })));
    await fresh.openMany(sealed.map((jwe) => ({ jwe, expected: expected() })));
    expect(calls.mock.calls.map(([name]) => name)).toEqual(['read_secrets']);
    calls.mockRestore();
  });
});

describe('periods', () => {
  it.each(['e1', 'e3', 'e7', 'e14', 'e30', 'queue'] as const)(
    '%s: its current bucket seals and opens',
    async (name) => {
      const jwe = await ingest.seal(context({ period: periodOf(name, Date.now()) }), value);
      expect(await delivery.open(jwe, expected())).toEqual(value);
    },
  );

  it('a bucket past its limit is not made', async () => {
    const period = periodOf('e30', Date.now() - 31 * DAY);
    await expect(ingest.seal(context({ period }), value)).rejects.toThrow(
      expect.objectContaining({ name: 'ForgottenError' }),
    );
    const { rowCount } = await world.admin.query('select from vault.period_secret where bucket = $1', [period.bucket]);
    expect(rowCount).toBe(0);
  });

  it('nor one far ahead, nor one off its grid', async () => {
    for (const bucket of [periodOf('e30', Date.now() + 5 * DAY).bucket, '2026112507', 'nonsense']) {
      await expect(ingest.seal(context({ period: { class: 'e30', bucket } }), value)).rejects.toThrow('forgotten');
    }
  });

  it('reading makes none', async () => {
    const period = periodOf('e14', Date.now() - 3 * DAY);
    const jwe = await ingest.seal(context({ period }), value);
    await world.admin.query('delete from vault.period_secret where class = $1 and bucket = $2', ['e14', period.bucket]);
    const later = await world.vault('delivery');
    await expect(later.open(jwe, expected())).rejects.toThrow('period');
    const { rowCount } = await world.admin.query('select from vault.period_secret where class = $1 and bucket = $2', [
      'e14',
      period.bucket,
    ]);
    expect(rowCount).toBe(0);
  });

  it('a secret past its limit is not answered, even if nothing has destroyed it yet', async () => {
    const period = periodOf('e7', Date.now() - 2 * DAY);
    const jwe = await ingest.seal(context({ period }), value);
    await world.admin.query(
      `update vault.period_secret set forget_at = now() - interval '1 second' where class = $1 and bucket = $2`,
      ['e7', period.bucket],
    );
    const later = await world.vault('delivery');
    expect(await later.openMany([{ jwe, expected: expected() }])).toEqual([FORGOTTEN]);
  });
});
