import { RETENTION } from '@lethe/contracts';
import { Client, escapeIdentifier } from 'pg';
import { VaultSetupError } from '../errors.ts';
import { tables } from './0001-tables.ts';
import { partitions } from './0002-partitions.ts';
import { revocation } from './0003-revocation.ts';
import { functions } from './0004-functions.ts';
import { ledgerTables } from './0005-ledger-tables.ts';
import { closed } from './0006-closed.ts';
import { doors } from './0007-doors.ts';
import { fences } from './0008-fence.ts';
import { destruction } from './0009-destroy.ts';
import { pass } from './0010-pass.ts';
import { forgetting } from './0011-forgetting.ts';
import { fencedNames } from './0012-fenced-names.ts';
import { plans } from './0013-plans.ts';
import { known } from './0014-known.ts';
import { givenUp } from './0015-given-up.ts';
import { closedAccounts } from './0016-closed-accounts.ts';
import { instructed } from './0017-instructed.ts';
import { ACCESS, CLASSES, KEEPER, READERS_OF_CONDEMNED, VAULT_SERVICES } from './access.ts';
import type { VaultService } from './access.ts';

/** In order, each applied once and never edited after a release. */
const MIGRATIONS: [name: string, sql: string][] = [
  ['0001-tables', tables],
  ['0002-partitions', partitions],
  ['0003-revocation', revocation],
  ['0004-functions', functions],
  ['0005-ledger-tables', ledgerTables],
  ['0006-closed', closed],
  ['0007-doors', doors],
  ['0008-fence', fences],
  ['0009-destroy', destruction],
  ['0010-pass', pass],
  ['0011-forgetting', forgetting],
  ['0012-fenced-names', fencedNames],
  ['0013-plans', plans],
  ['0014-known', known],
  ['0015-given-up', givenUp],
  ['0016-closed-accounts', closedAccounts],
  ['0017-instructed', instructed],
];

export interface MigrateVaultOptions {
  /** Role of each service in the vault's PostgreSQL; the service's own name where absent. The roles must exist. */
  roles?: Partial<Record<VaultService, string>>;
}

/**
 * Brings the vault's database to this version: schema, partitions ahead, and exactly the rights of `access.ts`. `ownerUrl` is
 * the owner's (`vault_owner`). Safe to run at each start and from several processes at once.
 */
export async function migrateVault(ownerUrl: string, options: MigrateVaultOptions = {}): Promise<void> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'lethe-vault-migrate' });
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(hashtext('lethe vault migrations'))`);
    await client.query('create schema if not exists vault');
    await client.query(
      'create table if not exists vault.migration (name text primary key, applied_at timestamptz not null default now())',
    );
    for (const [name, sql] of MIGRATIONS) await apply(client, name, sql);
    await inTransaction(client, async () => {
      await writeRetention(client);
      await grant(client, options.roles ?? {});
      await client.query('select vault.prepare()');
    });
  } finally {
    await client.end();
  }
}

async function apply(client: Client, name: string, sql: string): Promise<void> {
  const { rowCount } = await client.query('select from vault.migration where name = $1', [name]);
  if (rowCount !== 0) return;
  await inTransaction(client, async () => {
    await client.query(sql);
    await client.query('insert into vault.migration (name) values ($1)', [name]);
  });
}

/** The vault checks limits itself, from the one table of the contracts. */
async function writeRetention(client: Client): Promise<void> {
  for (const [name, { bucketMs, limitMs }] of Object.entries(RETENTION)) {
    await client.query(
      `insert into vault.retention values ($1, make_interval(secs => $2), make_interval(secs => $3))
       on conflict (class) do update set bucket = excluded.bucket, max_age = excluded.max_age`,
      [name, bucketMs / 1000, limitMs / 1000],
    );
  }
}

/** Takes every right away, then gives what the table says, so that a right removed from it is gone after a migration. */
async function grant(client: Client, roles: Partial<Record<VaultService, string>>): Promise<void> {
  const roleOf = (service: VaultService): string => roles[service] ?? service;
  const names = VAULT_SERVICES.map(roleOf);
  await requireRoles(client, names);
  const everyone = ['public', ...names.map(escapeIdentifier)].join(', ');
  await client.query(`
    revoke all on schema vault from ${everyone};
    revoke all on all tables in schema vault from ${everyone};
    revoke all on all functions in schema vault from ${everyone};
    alter default privileges in schema vault revoke all on functions from public;
    grant usage on schema vault to ${names.map(escapeIdentifier).join(', ')};
    delete from vault.class_grant;`);
  for (const [signature, services] of Object.entries(ACCESS)) {
    const granted = services.map((service) => escapeIdentifier(roleOf(service))).join(', ');
    await client.query(`grant execute on function vault.${signature} to ${granted}`);
  }
  // VACUUM FULL, and nothing that reads or writes.
  const keepers = KEEPER.map((service) => escapeIdentifier(roleOf(service))).join(', ');
  await client.query(`
    grant maintain on all tables in schema vault to ${keepers};
    alter default privileges in schema vault grant maintain on tables to ${keepers};`);
  const classes = [...Object.entries(CLASSES), ['condemned', READERS_OF_CONDEMNED]] as [string, VaultService[]][];
  const grants = classes.flatMap(([name, services]) =>
    services.map((service) => ({ role_name: roleOf(service), class: name })),
  );
  await client.query(
    `insert into vault.class_grant select * from json_populate_recordset(null::vault.class_grant, $1)`,
    [JSON.stringify(grants)],
  );
}

async function requireRoles(client: Client, names: string[]): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [
    names,
  ]);
  const known = new Set(rows.map(({ rolname }) => rolname));
  const missing = names.filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw new VaultSetupError(`The vault's PostgreSQL lacks the login roles ${missing.join(', ')}: create them first`);
  }
}

async function inTransaction(client: Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  try {
    await work();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
