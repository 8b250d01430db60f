import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scanFolders, startPostgres, withClient, type Needle, type Postgres } from '../src/index.ts';

let dir: string;
let postgres: Postgres;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lethe-pglz-'));
  // As in the vault: what was written leaves the log's files with the next checkpoint.
  postgres = await startPostgres({ dir, password: 'test', vault: true });
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const query = (...texts: string[]) =>
  withClient(postgres.adminUrl, async (client) => {
    for (const text of texts) await client.query(text);
  });

const writeOut = () =>
  query(
    'CREATE TABLE IF NOT EXISTS tick (n int)',
    'INSERT INTO tick VALUES (1)',
    'SELECT pg_switch_wal()',
    'CHECKPOINT',
  );

function mark(name: string): Needle {
  return { name, value: `temperror+${randomBytes(6).toString('hex')}@world.example` };
}

/** Compresses well, and its parts recur: nothing of the mark but its odd digits stands in the result in one piece. */
const inline = ({ value }: Needle) => `${'temperror+ @world.example '.repeat(120)}${value}${' and on'.repeat(90)}`;
/** Compresses to about half, which is too much for a row. */
const long = ({ value }: Needle) => `${pairs(200)} temperror+ @world.example ${value}${pairs(200)}`;
const pairs = (count: number) =>
  Array.from({ length: count }, () => randomBytes(20).toString('hex').repeat(2)).join(' ');

/** Where each is found, by layer; a mark that lies open in a file would not need what is tested here. */
async function layers(needles: readonly Needle[], below = ''): Promise<Record<string, string[]>> {
  const { findings, unopened } = await scanFolders({ folders: [join(postgres.dataDir, below)], needles });
  expect(unopened).toEqual([]);
  return Object.fromEntries(
    needles.map(({ name }) => [
      name,
      [...new Set(findings.filter(({ needle }) => needle === name).map(({ layer }) => layer))].toSorted(),
    ]),
  );
}

describe('what PostgreSQL compressed', () => {
  const [living, dead, vacuumed, toasted, deadToast, external] = [
    'living',
    'dead',
    'vacuumed',
    'toasted',
    'dead toast',
    'external',
  ].map(mark) as [Needle, Needle, Needle, Needle, Needle, Needle];
  const all = [living, dead, vacuumed, toasted, deadToast, external];

  it('is found in rows living and deleted, in one piece and in pieces, and in the log', async () => {
    await query(
      'CREATE TABLE v (id int, t text) WITH (autovacuum_enabled = off)',
      'CREATE TABLE t (id int, t text) WITH (autovacuum_enabled = off)',
      'CREATE TABLE e (id int, t text)',
      'ALTER TABLE e ALTER COLUMN t SET STORAGE external',
      'CHECKPOINT',
    );
    await withClient(postgres.adminUrl, async (client) => {
      await client.query('INSERT INTO v VALUES (2, $2), (1, $1)', [inline(vacuumed), 'x']);
      await client.query('INSERT INTO t VALUES (1, $1), (2, $2)', [inline(living), inline(dead)]);
      await client.query('INSERT INTO t VALUES (3, $1), (4, $2)', [long(toasted), long(deadToast)]);
      // Over the border of two pieces, each of 1,996 octets.
      await client.query('INSERT INTO e VALUES (1, $1)', [`${'x'.repeat(1_985)}${external.value}${'y'.repeat(5_000)}`]);
    });
    await query(
      'DELETE FROM t WHERE id IN (2, 4)',
      'DELETE FROM v WHERE id = 1',
      'VACUUM (TRUNCATE off) v',
      'CHECKPOINT',
    );
    const found = await layers(all, 'base');
    expect(found).toEqual({
      living: ['pglz'],
      dead: ['pglz'],
      vacuumed: ['pglz'],
      toasted: ['toast > pglz'],
      'dead toast': ['toast > pglz'],
      external: ['toast'],
    });
    expect(await layers(all, 'pg_wal')).toEqual(found);
  });

  it('is found in images of pages in the log', async () => {
    // The first change after a checkpoint writes the whole page.
    await query('CHECKPOINT', 'UPDATE t SET id = 9 WHERE id = 1', 'UPDATE v SET id = 9');
    await writeOut();
    await query('CHECKPOINT', 'UPDATE t SET id = 10 WHERE id = 9');
    expect(await layers([dead], 'pg_wal')).toEqual({ dead: ['pglz'] });
  });

  it('is found nowhere after a rewrite and a log that began anew', async () => {
    await query('DELETE FROM t', 'DELETE FROM v', 'DELETE FROM e', 'VACUUM FULL t, v, e', 'VACUUM FULL pg_statistic');
    await writeOut();
    await writeOut();
    const nowhere = Object.fromEntries(all.map(({ name }) => [name, []]));
    expect(await layers(all)).toEqual(nowhere);
  });
});
