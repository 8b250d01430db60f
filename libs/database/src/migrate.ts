import { StartupError, errorClass } from '@lethe/service';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import type { MigrationInterface } from 'typeorm';
import { SILENT } from './silent-logger.ts';

export type Migrations = (new () => MigrationInterface)[];

export interface MigrateOptions {
  /** Schema that holds the table of migrations, created when missing; `public` when absent. */
  schema?: string;
}

/** Any fixed number: the lock is per database, and only migrations take it. */
const LOCK = 5_443_284;

/**
 * Brings a database up to date. Replicas that start together wait for each other, so each
 * migration runs once. All pending ones run in one transaction: all or nothing. Where one of the list takes none
 * (`transaction = false`, as `create index concurrently` needs it), each runs by itself: what has run stays.
 * Returns the names of those that ran.
 */
export async function migrateDatabase(
  url: string,
  migrations: Migrations,
  { schema = 'public' }: MigrateOptions = {},
): Promise<string[]> {
  const lock = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  lock.on('error', () => undefined);
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [LOCK]);
    if (schema !== 'public') {
      await lock.query(`CREATE SCHEMA IF NOT EXISTS ${lock.escapeIdentifier(schema)}`);
    }
    return await runPending(url, migrations, schema);
  } finally {
    await lock.end();
  }
}

/** The migrate step of a service: reads its database's URL from the environment, exits 1 on failure. */
export async function runMigrations(
  migrations: Migrations,
  { variable = 'DATABASE_URL', ...options }: MigrateOptions & { variable?: string } = {},
): Promise<void> {
  try {
    const url = process.env[variable];
    if (!url) throw new StartupError(`${variable} is missing: the URL of the database to migrate.`);
    const names = await migrateDatabase(url, migrations, options);
    process.stdout.write(`${names.length} migrations applied\n`);
  } catch (error) {
    process.stderr.write(`The migration failed. ${explain(error, variable)}\n`);
    process.exitCode = 1;
  }
}

async function runPending(url: string, migrations: Migrations, schema: string): Promise<string[]> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    schema,
    migrations,
    migrationsTableName: 'migrations',
    installExtensions: false,
    logging: false,
    logger: SILENT,
    applicationName: 'migrate',
  });
  await dataSource.initialize();
  try {
    const each = dataSource.migrations.some(({ transaction }) => transaction === false);
    const done = await dataSource.runMigrations({ transaction: each ? 'each' : 'all' });
    return done.map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
}

function explain(error: unknown, variable: string): string {
  if (error instanceof StartupError) return error.message;
  const kind = errorClass(error);
  // A migration holds no personal data; its SQL error is what the developer needs to read.
  if (kind !== 'connection') return (error as Error).message;
  return `The database cannot be reached. Check ${variable} and that PostgreSQL runs.`;
}
