import type pg from 'pg';
import { withClient } from '../stores/postgres.ts';
import { databaseUrl } from '../stores/provision-postgres.ts';
import { Matcher, patternsOf } from './matcher.ts';
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
/** On the disk: read at once, which is one question instead of five. Compressed a hundredfold it is still no problem. */
const SMALL = 256 * 1024;

/**
 * Searches every row of every table of every database, system catalogs included, column by column as PostgreSQL shows it:
 * in the files a compressed value (TOAST, pglz) is not readable as it is. `bytea` is searched as the octets it stands for.
 */
export async function scanRows(options: RowScanOptions): Promise<ScanReport> {
  const scan = new Scan(new Matcher(patternsOf(options.needles)), options);
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
  const { rows } = await client.query<{ schema: string; name: string; small: boolean }>({
    text: `
      SELECT n.nspname AS schema, c.relname AS name, pg_table_size(c.oid) <= $1 AS small
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND NOT pg_is_other_temp_schema(n.oid) AND pg_relation_size(c.oid) > 0`,
    values: [SMALL],
  });
  for (const { schema, name, small } of rows) {
    const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
    const source = { file: `${database}/${schema}.${name}`, layers: ['rows'] };
    scan.countFile();
    try {
      await scan.stream(small ? [await values(client, `SELECT * FROM ${table}`)] : fetched(client, table), source);
    } catch (error) {
      // Dropped since it was listed.
      if ((error as pg.DatabaseError).code !== '42P01') throw error;
      await client.query('ROLLBACK');
    }
  }
}

async function* fetched(client: pg.Client, table: string): AsyncGenerator<Buffer> {
  await client.query('BEGIN READ ONLY');
  await client.query(`DECLARE scan NO SCROLL CURSOR FOR SELECT * FROM ${table}`);
  for (let count = 1; ;) {
    const batch = await values(client, `FETCH ${count} FROM scan`);
    if (batch.length === 0) break;
    yield batch;
    count = Math.max(1, Math.min(MOST_ROWS, Math.floor((BATCH_OCTETS * count) / batch.length)));
  }
  await client.query('ROLLBACK');
}

/** Type `bytea`, sent as `\\x` and hexadecimal digits. */
const BYTEA = 17;
const AS_SENT = { getTypeParser: () => (text: string) => text };

/** Every value of the answer as octets, with a zero after each; empty without rows. */
async function values(client: pg.Client, text: string): Promise<Buffer> {
  const { rows, fields } = await client.query<(string | null)[]>({ text, rowMode: 'array', types: AS_SENT });
  const binary = fields.map(({ dataTypeID }) => dataTypeID === BYTEA);
  const octets: Buffer[] = [];
  for (const row of rows) {
    for (const [index, value] of row.entries()) {
      if (value !== null) octets.push(binary[index] ? Buffer.from(value.slice(2), 'hex') : Buffer.from(value));
      octets.push(Buffer.alloc(1));
    }
  }
  return Buffer.concat(octets);
}
