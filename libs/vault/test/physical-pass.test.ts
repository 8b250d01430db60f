import { periodOf } from '@lethe/contracts';
import { withClient } from '@lethe/testing';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
/** The machine copies, searches and restarts meanwhile. */
const PATIENT = { timeoutMs: 20_000 };
const dropAt = new Date(Math.floor(Date.now() / 21_600_000) * 21_600_000 + 86_400_000);

let server: OwnServer;
let world: VaultWorld;
let ingest: Vault;
let keeper: VaultKeeper;
let account: string;

beforeAll(async () => {
  server = await ownServer();
  world = await vaultWorld(server.place);
  ingest = await world.vault('ingest', PATIENT);
  keeper = world.keeper();
  account = await world.account();
});
afterAll(() => world.close());

const admin = async <R extends object>(sql: string, values: unknown[] = []): Promise<R[]> =>
  (await withClient(server.place.adminUrl, (client) => client.query<R>(sql, values))).rows;
const whereIs = ({ secret, pseudonym, contentKey }: Person) =>
  filesWith(server.postgres.dataDir, { secret, pseudonym, contentKey });

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

async function nothingOf(victim: Person): Promise<void> {
  expect(whereIs(victim)).toEqual({ secret: [], pseudonym: [], contentKey: [] });
  expect(await keeper.residual([victim.subject])).toEqual({ secrets: 0, names: 0 });
}

async function everythingOf(neighbour: Person): Promise<void> {
  const { subject, jwe, form, message } = neighbour;
  for (const files of Object.values(whereIs(neighbour))) expect(files).not.toEqual([]);
  expect(await keeper.residual([subject])).toEqual({ secrets: 1, names: 1 });
  const delivery = await world.vault('delivery', PATIENT);
  expect(await delivery.open(jwe, { account, type: 'envelope', recordId: 'r/1' })).toBe(form);
  expect(await delivery.contentKey(message.messageId, dropAt)).toHaveLength(32);
}

it('takes what was destroyed out of every file, and leaves everyone else', async () => {
  const people = await Promise.all(Array.from({ length: 10 }, person));
  const [one, two, ...others] = people as [Person, Person, ...Person[]];
  await admin('checkpoint');
  await destroyed([one, two]);
  // The control: deleted rows are in the files, in the WAL and in the tables, which nobody has tidied up yet.
  await admin('checkpoint');
  for (const files of Object.values(whereIs(one))) expect(files.join(' ')).toMatch(/base\/.*pg_wal\//);
  const before = Date.now();
  const at = await keeper.physicalPass();
  expect(at.getTime()).toBeGreaterThanOrEqual(before - 1);
  await nothingOf(one);
  await nothingOf(two);
  for (const other of others.slice(0, 2)) await everythingOf(other);
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
    expect(whereIs(victim).secret).not.toEqual([]);
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
      const delivery = new Vault({ url: world.urls.delivery, kek: world.kek, ...PATIENT });
      delivery.start();
      await delivery.ready(PATIENT.timeoutMs);
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

/** Where the content key of that person lies. */
async function partition({ message }: Person): Promise<{ name: string; file: string }> {
  const [place] = await admin<{ name: string; file: string }>(
    `select tableoid::regclass::text as name, pg_relation_filepath(tableoid) as file
     from vault.content_key where message_id = $1`,
    [message.messageId],
  );
  if (place === undefined) throw new Error('no content key');
  return place;
}

describe('killed', () => {
  beforeEach(() => ingest.ready(PATIENT.timeoutMs));

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

  it.each([0, 40, 120, 250])('the server, %d ms after it began: it is done again', async (ms) => {
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
    await ingest.ready(PATIENT.timeoutMs);
    await everythingOf(neighbour);
  });

  it('the server, while it wrote a table anew: the copy it left behind is emptied', async () => {
    const [victim, neighbour, later] = [await person(), await person(), await person()];
    // Enough in its partition for the copying to take a while; what is copied first is whom it is about.
    const leaf = await partition(later);
    await admin(
      `insert into vault.content_key select $1, gen_random_uuid(), sha256(n::text::bytea)
       from generate_series(1, 200000) as n`,
      [dropAt],
    );
    const folder = join(server.postgres.dataDir, dirname(leaf.file));
    const known = new Set(readdirSync(folder));
    const copies = () =>
      readdirSync(folder).filter(
        (name) => !known.has(name) && readFileSync(join(folder, name)).includes(later.contentKey),
      );
    const ended = admin(`vacuum full ${leaf.name}`).catch((error: Error) => error);
    await vi.waitFor(() => expect(copies()).toHaveLength(1), { timeout: 5000, interval: 1 });
    await server.postgres.kill9();
    expect(await ended).toBeInstanceOf(Error);
    await server.postgres.restart();
    expect(copies()).toHaveLength(1);
    await keeper.open((await keeper.state()).position);
    await destroyed([victim]);
    await keeper.physicalPass();
    await nothingOf(victim);
    await ingest.ready(PATIENT.timeoutMs);
    await destroyed([later]);
    await keeper.physicalPass();
    await nothingOf(later);
    await everythingOf(neighbour);
  });
});

it('a table that is just being made is not taken for one that was left behind', async () => {
  const making = new Client({ connectionString: server.place.adminUrl });
  await making.connect();
  await making.query('begin');
  await making.query('create table vault.made as select n from generate_series(1, 5000) as n');
  await admin('checkpoint');
  const victim = await person();
  await destroyed([victim]);
  await expect(keeper.physicalPass()).rejects.toThrow(unavailable);
  const waits = keeper.physicalPass();
  await delay(300);
  await making.query('commit');
  await waits;
  expect((await making.query('select count(*)::int as n from vault.made')).rows).toEqual([{ n: 5000 }]);
  await making.query('drop table vault.made');
  await making.end();
  await nothingOf(victim);
});

it('only privacy may have files emptied, and not choose them', async () => {
  for (const service of ['ingest', 'delivery', 'accounts'] as const) {
    const empty = withClient(world.urls[service], (client) => client.query('select vault_files.empty_unowned()'));
    await expect(empty).rejects.toThrow('permission denied for schema vault_files');
  }
  const list = withClient(world.urls.privacy, (client) => client.query('select vault_files.unowned()'));
  await expect(list).rejects.toThrow('permission denied for function unowned');
});

it('says what is missing where the vault was provisioned without it', async () => {
  await destroyed([await person()]);
  await admin('alter schema vault_files rename to elsewhere');
  await expect(keeper.physicalPass()).rejects.toThrow('provision the vault again');
  await admin('alter schema elsewhere rename to vault_files');
  await keeper.physicalPass();
});
