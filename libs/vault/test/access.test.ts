import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrateVault, VAULT_SERVICES } from '../src/index.ts';
import type { VaultService } from '../src/index.ts';
import { ACCESS, CLASSES } from '../src/schema/access.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

let world: VaultWorld;
const clients = new Map<VaultService, Client>();

beforeAll(async () => {
  world = await vaultWorld();
  for (const service of VAULT_SERVICES) {
    const client = new Client({ connectionString: world.urls[service] });
    await client.connect();
    clients.set(service, client);
  }
});
afterAll(async () => {
  await Promise.all([...clients.values()].map((client) => client.end()));
  await world.close();
});

const as = (service: VaultService, sql: string, values: unknown[] = []) =>
  (clients.get(service) as Client).query(sql, values);

async function relations(kinds: string): Promise<string[]> {
  const { rows } = await world.admin.query<{ name: string }>(
    `select quote_ident(nspname) || '.' || quote_ident(relname) as name from pg_class
     join pg_namespace n on n.oid = relnamespace where nspname = 'vault' and relkind::text = any($1)`,
    [kinds.split('')],
  );
  return rows.map(({ name }) => name);
}

describe.each(VAULT_SERVICES)('%s', (service) => {
  it('reaches no table, not even to look', async () => {
    const tables = await relations('rp');
    expect(tables.length).toBeGreaterThan(20);
    for (const table of tables) {
      for (const sql of [`select from ${table}`, `delete from ${table}`, `truncate ${table}`]) {
        await expect(as(service, sql)).rejects.toThrow(/permission denied/);
      }
    }
    await expect(as(service, 'create table vault.mine ()')).rejects.toThrow(/permission denied/);
  });

  it('may call exactly the functions it needs', async () => {
    const { rows } = await world.admin.query<{ name: string }>(
      `select p.oid::regprocedure::text as name from pg_proc p where pronamespace = 'vault'::regnamespace
       and has_function_privilege($1, p.oid, 'execute')`,
      [service],
    );
    const plain = (signature: string): string => signature.replaceAll(/vault\.|\s|\(.*/g, '');
    const granted = Object.entries(ACCESS).filter(([, services]) => services.includes(service));
    expect(rows.map(({ name }) => plain(name)).toSorted()).toEqual(granted.map(([name]) => plain(name)).toSorted());
  });
});

it('the gateway may call nothing', async () => {
  const { rows } = await world.admin.query<{ callable: number }>(
    `select count(*)::int as callable from pg_proc
     where pronamespace = 'vault'::regnamespace and has_function_privilege('gateway', oid, 'execute')`,
  );
  expect(rows).toEqual([{ callable: 0 }]);
});

it('delivery and events make no subjects', async () => {
  for (const service of ['delivery', 'events'] as const) {
    const create = as(service, 'select vault.create_subjects($1, $2, $3, $4)', [[], [], [], []]);
    await expect(create).rejects.toThrow(/permission denied for function create_subjects/);
  }
  const events = await world.vault('events');
  await expect(events.subjectsFor(await world.account(), ['a@example.com'])).rejects.toThrow(
    'may not call vault.read_pseudonym_keys (42501)',
  );
});

it('a class is open to those who need it, and to nobody by its name alone', async () => {
  const day = new Date();
  day.setUTCMinutes(0, 0, 0);
  day.setUTCHours(Math.floor(day.getUTCHours() / 6) * 6);
  const bucket = day.toISOString().slice(0, 13).replaceAll(/[-T]/g, '');
  for (const service of VAULT_SERVICES) {
    const { rowCount } = await as(service, 'select * from vault.create_periods($1, $2, $3)', [
      ['queue'],
      [bucket],
      [Buffer.alloc(40)],
    ]);
    const read = await as(service, 'select * from vault.read_secrets($1, $2, $3, $4)', [[], [], ['queue'], [bucket]]);
    expect([service, rowCount, read.rowCount]).toEqual([
      service,
      ...(CLASSES.queue.includes(service) ? [1, 1] : [0, 0]),
    ]);
  }
});

it('what is wrongly given as an id is not repeated in the error', async () => {
  const ingest = await world.vault('ingest');
  await expect(ingest.subjectsFor('someone@example.com', ['a'])).rejects.toThrow(
    /^An id given to vault.read_pseudonym_keys is malformed \(22P02\)$/,
  );
});

it('search paths do not lead the functions astray', async () => {
  await expect(as('ingest', 'create temporary table account ()')).rejects.toThrow(/permission denied/);
  const { rows: settings } = await world.admin.query<{ safe: boolean }>(
    `select bool_and(prosecdef and 'search_path=pg_catalog, pg_temp' = any(proconfig)) as safe from pg_proc
     where pronamespace = 'vault'::regnamespace and proname = any($1)`,
    [Object.keys(ACCESS).map((signature) => signature.replace(/\(.*/, ''))],
  );
  expect(settings).toEqual([{ safe: true }]);
});

it('columns with secrets and names keep no statistics', async () => {
  await (
    await world.vault('ingest')
  ).subjectsFor(
    await world.account(),
    Array.from({ length: 100 }, (_, index) => `statistics${index}@example.com`),
  );
  await world.admin.query('analyze');
  const { rows } = await world.admin.query<{ attname: string }>(
    `select tablename, attname from pg_stats where schemaname = 'vault' and attname in ('secret', 'pseudonym', 'pseudonym_key')`,
  );
  expect(rows).toEqual([]);
});

it('migrates again, at once, without change', async () => {
  await expect(Promise.all([1, 2, 3].map(() => migrateVault(world.ownerUrl)))).resolves.toHaveLength(3);
});

it('names the roles that are missing', async () => {
  await expect(migrateVault(world.ownerUrl, { roles: { events: 'nobody_such' } })).rejects.toThrow(
    'lacks the login roles nobody_such: create them first',
  );
});
