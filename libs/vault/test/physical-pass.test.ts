import { periodOf } from '@lethe/contracts';
import { withClient } from '@lethe/testing';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Vault } from '../src/index.ts';
import type { VaultKeeper } from '../src/index.ts';
import { filesWith } from './support/files.ts';
import { ownServer } from './support/own-server.ts';
import type { OwnServer } from './support/own-server.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

const unavailable = expect.objectContaining({ name: 'VaultUnavailableError', retryable: true });
const dropAt = new Date(Math.floor(Date.now() / 21_600_000) * 21_600_000 + 86_400_000);

let server: OwnServer;
let world: VaultWorld;
let ingest: Vault;
let keeper: VaultKeeper;
let account: string;

beforeAll(async () => {
  server = await ownServer();
  world = await vaultWorld(server.place);
  ingest = await world.vault('ingest');
  keeper = world.keeper();
  account = await world.account();
});
afterAll(() => world.close());

const admin = async <R extends object>(sql: string, values: unknown[] = []): Promise<R[]> =>
  (await withClient(server.place.adminUrl, (client) => client.query<R>(sql, values))).rows;
const whereIs = (bytes: Buffer): string[] => filesWith(server.postgres.dataDir, bytes);

interface Person {
  form: string;
  subject: string;
  jwe: string;
  message: { messageId: string; dropAt: Date };
  /** What the vault's rows hold of them. */
  secret: Buffer;
  pseudonym: Buffer;
  contentKey: Buffer;
}

async function person(): Promise<Person> {
  const form = `${randomUUID()}@example.com`;
  const [subject = ''] = await ingest.subjectsFor(account, [form]);
  const message = { messageId: randomUUID(), dropAt };
  await ingest.createContentKeys([message]);
  const seal = { account, subject, period: periodOf('e30', Date.now()), type: 'envelope', recordId: 'r/1' };
  const [row] = await admin<{ secret: Buffer; key: Buffer }>(
    `select (select secret from vault.subject_secret where subject_id = $1) as secret,
       (select secret from vault.content_key where message_id = $2) as key`,
    [subject, message.messageId],
  );
  if (row === undefined) throw new Error('no row');
  return {
    form,
    subject,
    message,
    jwe: await ingest.seal(seal, form),
    secret: row.secret,
    pseudonym: await ingest.pseudonym(account, form),
    contentKey: row.key,
  };
}

/** Fenced, destroyed, the fence ended: all but the pass. */
async function destroyed(people: Person[]): Promise<void> {
  const requestId = randomUUID();
  await keeper.fence(
    requestId,
    account,
    await ingest.pseudonyms(
      account,
      people.map(({ form }) => form),
    ),
  );
  const position = (await keeper.state()).position + 1;
  const messages = people.map(({ message }) => message);
  await keeper.destroy([{ position, subjects: people.map(({ subject }) => subject), messages }]);
  await keeper.endFence(requestId);
}

async function nothingOf({ secret, pseudonym, contentKey, subject }: Person): Promise<void> {
  expect({ secret: whereIs(secret), pseudonym: whereIs(pseudonym), contentKey: whereIs(contentKey) }).toEqual({
    secret: [],
    pseudonym: [],
    contentKey: [],
  });
  expect(await keeper.residual([subject])).toEqual({ secrets: 0, names: 0 });
}

async function everythingOf({ secret, pseudonym, contentKey, subject, jwe, form, message }: Person): Promise<void> {
  for (const bytes of [secret, pseudonym, contentKey]) expect(whereIs(bytes)).not.toEqual([]);
  expect(await keeper.residual([subject])).toEqual({ secrets: 1, names: 1 });
  const delivery = await world.vault('delivery');
  expect(await delivery.open(jwe, { account, type: 'envelope', recordId: 'r/1' })).toBe(form);
  expect(await delivery.contentKey(message.messageId, dropAt)).toHaveLength(32);
}

it('takes what was destroyed out of every file, and leaves everyone else', async () => {
  const people = await Promise.all(Array.from({ length: 20 }, person));
  const [one, two, ...others] = people as [Person, Person, ...Person[]];
  await admin('checkpoint');
  await destroyed([one, two]);
  // The control: deleted rows are in the files, in the WAL and in the tables.
  await admin('vacuum');
  for (const bytes of [one.secret, one.pseudonym, one.contentKey]) {
    expect(whereIs(bytes).join()).toMatch(/base\/.*pg_wal\//);
  }
  const before = Date.now();
  const at = await keeper.physicalPass();
  expect(at.getTime()).toBeGreaterThanOrEqual(before - 1);
  await nothingOf(one);
  await nothingOf(two);
  for (const other of others.slice(0, 3)) await everythingOf(other);
  expect(await admin('select from vault.dirty')).toEqual([]);
});

it('does nothing when there is nothing to do', async () => {
  await keeper.physicalPass();
  const last = () => admin<{ passed_at: Date }>('select passed_at from vault.state');
  const before = await last();
  expect((await keeper.physicalPass()).getTime()).toBeGreaterThan(0);
  expect(await last()).toEqual(before);
});

describe('what stands in its way', () => {
  let other: Client;
  beforeEach(async () => {
    other = new Client({ connectionString: server.place.adminUrl });
    await other.connect();
    return () => other.end();
  });

  it('an older snapshot: it does not say that it is done, and is done once that has ended', async () => {
    const victim = await person();
    await other.query('begin isolation level repeatable read');
    await other.query('select 1 from vault.account');
    await destroyed([victim]);
    await expect(keeper.physicalPass()).rejects.toThrow(unavailable);
    expect(whereIs(victim.secret)).not.toEqual([]);
    expect(await admin('select from vault.dirty')).not.toEqual([]);
    await other.query('rollback');
    await keeper.physicalPass();
    await nothingOf(victim);
  });

  it('somebody who reads a partition and stays: others go on reading it', async () => {
    const [victim, neighbour] = [await person(), await person()];
    await destroyed([victim]);
    await other.query('begin');
    await other.query('select from vault.subject_secret limit 1');
    await expect(keeper.physicalPass()).rejects.toThrow(unavailable);
    await everythingOf(neighbour);
    await other.query('rollback');
    await keeper.physicalPass();
    await nothingOf(victim);
  });
});

it('may be done by several at once, in a vault that is busy, and nobody is forgotten by it', async () => {
  const people = await Promise.all(Array.from({ length: 30 }, person));
  const stop = new AbortController();
  const busy = [1, 2].map(async () => {
    let opened = 0;
    while (!stop.signal.aborted) {
      const delivery = new Vault({ url: world.urls.delivery, kek: world.kek });
      delivery.start();
      await delivery.ready();
      await ingest.subjectsFor(account, [`${randomUUID()}@example.com`]);
      for (const { jwe, form, message } of people.slice(5)) {
        expect(await delivery.open(jwe, { account, type: 'envelope', recordId: 'r/1' })).toBe(form);
        await delivery.contentKey(message.messageId, dropAt);
        opened += 1;
      }
      await delivery.close();
    }
    return opened;
  });
  for (let round = 0; round < 5; round += 1) {
    await destroyed(people.slice(round, round + 1));
    await Promise.all([keeper, world.keeper(), world.keeper()].map((each) => each.physicalPass()));
  }
  stop.abort();
  for (const opened of await Promise.all(busy)) expect(opened).toBeGreaterThan(50);
  for (const victim of people.slice(0, 5)) await nothingOf(victim);
});

describe('killed', () => {
  it('the keeper’s connection, in the middle: it is done again', async () => {
    const victim = await person();
    await destroyed([victim]);
    const ended = keeper.physicalPass().then(
      () => 'done',
      (error: Error) => error.name,
    );
    await vi.waitFor(
      async () => {
        const rows = await admin(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lethe-vault-pass'`,
        );
        expect(rows).toHaveLength(1);
      },
      { timeout: 3000, interval: 1 },
    );
    expect(await ended).toBe('VaultUnavailableError');
    await keeper.physicalPass();
    await nothingOf(victim);
  });

  it.each([0, 15, 40, 80, 150, 250])('the server, %d ms after it began: it is done again', async (ms) => {
    const [victim, neighbour] = [await person(), await person()];
    await destroyed([victim]);
    const ended = keeper.physicalPass().catch((error: Error) => error);
    await delay(ms);
    await server.postgres.kill9();
    await ended;
    await server.postgres.restart();
    expect(await keeper.open((await keeper.state()).position)).toBe(true);
    await keeper.physicalPass();
    await nothingOf(victim);
    await ingest.ready();
    await everythingOf(neighbour);
  });
});
