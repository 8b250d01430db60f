import { Client } from 'pg';
import { VaultSetupError, VaultUnavailableError } from '../errors.ts';
import { translate } from '../keys/vault-database.ts';

export interface PassOptions {
  url: string;
  /** How long one statement may take, in milliseconds. */
  timeoutMs: number;
}

/** A relation is locked for its rewriting; who reads it queues behind whom the pass waits for, so it does not wait long. */
const LOCK_MS = 1000;
/** Ordinary calls are over long before; what still holds rows back then is a forgotten session or a dump. */
const HELD_BACK_MS = 5000;
const AGAIN_MS = 100;

/** Names come from the vault itself; this is the form in which it makes them. */
const RELATION = /^vault\.[a-z_0-9]+$/;
/** Detail of VACUUM VERBOSE's notice. The vault's settings fix the language (`lc_messages`). */
const LEFT = /^(\d+) dead row versions cannot be removed yet/;

/**
 * Brings what was deleted out of the files: files that a kill left behind are emptied, every marked partition is written anew
 * (VACUUM FULL), then the WAL is switched after one row more and checkpointed, which removes the segments before
 * (`wal_recycle=off`). Marks are cleared last, so that a pass that was killed anywhere is done again. Answers the moment from
 * which on no file of the vault has what was deleted before the call.
 * VaultUnavailableError where it cannot be done now, such as while an old snapshot keeps rows.
 */
export async function physicalPass({ url, timeoutMs }: PassOptions): Promise<Date> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    application_name: 'lethe-vault-pass',
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await run(client, timeoutMs);
  } catch (error) {
    throw error instanceof VaultUnavailableError ? error : explain(error);
  } finally {
    await client.end().catch(() => {});
  }
}

function explain(error: unknown): Error {
  const { code } = error as { code?: string };
  // No such schema, no such function.
  if (code === '3F000' || code === '42883') {
    return new VaultSetupError('The physical pass lacks what a superuser has to give it: provision the vault again');
  }
  return translate('dirty_marks', error);
}

async function run(client: Client, timeoutMs: number): Promise<Date> {
  // Two passes at once would do the same work; the second finds nothing left.
  await client.query(`select set_config('lock_timeout', $1, false)`, [String(timeoutMs)]);
  await client.query(`select pg_advisory_lock(hashtext('lethe vault pass'))`);
  await client.query(`select set_config('lock_timeout', $1, false)`, [String(LOCK_MS)]);
  const { rows: marks } = await client.query<{ mark: string; relation: string | null }>(
    'select mark, relation from vault.dirty_marks()',
  );
  if (marks.length > 0) {
    // Copies of everybody's keys, if a server was killed while it wrote a table anew.
    await client.query('select vault_files.empty_unowned()');
    for (const relation of new Set(marks.map((row) => row.relation))) {
      if (relation !== null) await rewrite(client, relation);
    }
    await client.query('select vault.note_pass()');
    await client.query('select pg_switch_wal()');
    await client.query('checkpoint');
  }
  const { rows } = await client.query<{ at: Date }>('select vault.clear_marks($1) as at', [
    marks.map(({ mark }) => mark),
  ]);
  if (rows[0] === undefined) throw new Error('The vault did not answer when it was cleared');
  return rows[0].at;
}

/** Until it says itself that it kept no dead row: a snapshot older than the deletion makes even VACUUM FULL keep them. */
async function rewrite(client: Client, relation: string): Promise<void> {
  if (!RELATION.test(relation)) throw new Error('The vault named a relation of another form than it makes');
  const until = performance.now() + HELD_BACK_MS;
  for (;;) {
    const left = await vacuum(client, relation);
    if (left === 0) return;
    if (performance.now() > until) {
      throw new VaultUnavailableError('an older snapshot still sees what was deleted; it must end first');
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function vacuum(client: Client, relation: string): Promise<number> {
  let left: number | undefined;
  const hear = ({ detail }: { detail?: string | undefined }): void => {
    const match = LEFT.exec(detail ?? '');
    if (match) left = Number(match[1]);
  };
  client.on('notice', hear);
  try {
    await client.query(`vacuum (full, verbose) ${relation}`);
  } finally {
    client.off('notice', hear);
  }
  // Not knowing is not a reason to say that it is gone.
  if (left === undefined) throw new VaultUnavailableError('it did not say whether a rewritten table kept rows');
  return left;
}
