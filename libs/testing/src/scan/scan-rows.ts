import pg from 'pg';
import { withClient } from '../stores/postgres.ts';
import { databaseUrl } from '../stores/provision-postgres.ts';
import type { Needle, ScanReport } from './needle.ts';
import { Scan, type ScanLimits } from './scan.ts';

export interface RowScanOptions extends ScanLimits {
  /** URLs of superusers, one for each PostgreSQL instance. */
  readonly adminUrls: readonly string[];
  readonly needles: readonly Needle[];
}

/** Octets a fetch aims at; a single row may be larger. */
const BATCH_OCTETS = 4 * 1024 * 1024;
const MOST_ROWS = 2_000;

/**
 * Searches every row of every table of every database, system catalogs included, column by column as PostgreSQL shows it:
 * in the files a compressed value (TOAST, pglz) is not readable as it is. `bytea` is searched as the octets it stands for.
 */
export async function scanRows(options: RowScanOptions): Promise<ScanReport> {
  const scan = new Scan(options.needles, options);
  for (const adminUrl of options.adminUrls) {
    const databases = await withClient(adminUrl, (client) => {
      return client.query<{ name: string }>('SELECT datname AS name FROM pg_database WHERE datallowconn');
    });
    for (const { name } of databases.rows) {
      await withClient(databaseUrl(adminUrl, name), (client) => scanDatabase(scan, client, name));
    }
  }
  return scan.report();
}

async function scanDatabase(scan: Scan, client: pg.Client, database: string): Promise<void> {
  const { rows } = await client.query<{ schema: string; name: string }>(`
    SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND NOT pg_is_other_temp_schema(n.oid)`);
  for (const { schema, name } of rows) {
    const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
    scan.countFile();
    await client.query('BEGIN READ ONLY');
    try {
      await scan.stream(values(client, table), { file: `${database}/${schema}.${name}`, layers: ['rows'] });
    } catch (error) {
      // Dropped since it was listed.
      if ((error as pg.DatabaseError).code !== '42P01') throw error;
    } finally {
      await client.query('ROLLBACK');
    }
  }
}

const AS_SENT = { getTypeParser: () => (text: string) => text };

async function* values(client: pg.Client, table: string): AsyncGenerator<Buffer> {
  await client.query(`DECLARE scan NO SCROLL CURSOR FOR SELECT * FROM ${table}`);
  let count = 1;
  for (;;) {
    const query = { text: `FETCH ${count} FROM scan`, rowMode: 'array' as const, types: AS_SENT };
    const { rows, fields } = await client.query<(string | null)[]>(query);
    if (rows.length === 0) break;
    const octets: Buffer[] = [];
    for (const row of rows) {
      for (const [index, value] of row.entries()) {
        if (value === null) continue;
        const binary = fields[index]?.dataTypeID === pg.types.builtins.BYTEA;
        octets.push(binary ? Buffer.from(value.slice(2), 'hex') : Buffer.from(value), Buffer.alloc(1));
      }
    }
    const batch = Buffer.concat(octets);
    yield batch;
    count = Math.max(1, Math.min(MOST_ROWS, Math.floor((BATCH_OCTETS * rows.length) / Math.max(1, batch.length))));
  }
}
