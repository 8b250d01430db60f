import type { EntityManager } from 'typeorm';
import { keyText, type Entry, type EntryKey, type Reason } from './entry.ts';

interface KeyRow {
  scope_id: string;
  pseudonym: Buffer;
}

/** Changes entries inside one transaction, and remembers of which keys: these are published anew. */
export class EntryWriter {
  private readonly keys = new Map<string, EntryKey>();

  constructor(private readonly manager: EntityManager) {}

  get touched(): EntryKey[] {
    return [...this.keys.values()];
  }

  /**
   * `replace`: what is there gives way. `keep`: it stays, unless it belongs to an earlier subject of the same person, whom
   * nothing can be sealed or opened for any more; so a repetition changes nothing.
   */
  async put(entries: readonly Entry[], mode: 'replace' | 'keep'): Promise<void> {
    // One row twice in a statement would fail it; the later word counts.
    const rows = [...new Map(entries.map((entry) => [`${keyText(entry)}/${entry.reason}`, entry])).values()];
    const column = <V>(value: (entry: Entry) => V): V[] => rows.map(value);
    const written = await this.manager.query<KeyRow[]>(
      `INSERT INTO suppression AS s (scope_id, reason, pseudonym, id, account_id, subject_id, sealed, created_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[])
       ON CONFLICT (scope_id, reason, pseudonym) DO UPDATE SET id = excluded.id, subject_id = excluded.subject_id,
         sealed = excluded.sealed, created_at = excluded.created_at
       WHERE $9 OR s.subject_id IS DISTINCT FROM excluded.subject_id
       RETURNING scope_id, pseudonym`,
      [
        column(({ scopeId }) => scopeId),
        column(({ reason }) => reason),
        column(({ pseudonym }) => pseudonym),
        column(({ id }) => id),
        column(({ accountId }) => accountId),
        column(({ subjectId }) => subjectId),
        column(({ sealed }) => sealed),
        column(({ createdAt }) => createdAt),
        mode === 'replace',
      ],
    );
    this.touch(written);
  }

  /** People's entries for one reason; how many there were. */
  remove(scopeId: string, reason: Reason, pseudonyms: readonly Buffer[]): Promise<number> {
    return this.delete('scope_id = $1 AND reason = $2 AND pseudonym = ANY($3)', [scopeId, reason, pseudonyms]);
  }

  /** Rows as they were read; one that was replaced meanwhile has another id. How many there were still. */
  removeRows(ids: readonly string[]): Promise<number> {
    return ids.length === 0 ? Promise.resolve(0) : this.delete('id = ANY($1)', [ids]);
  }

  private async delete(condition: string, values: unknown[]): Promise<number> {
    // As a query, because TypeORM answers a bare DELETE with another shape.
    const gone = await this.manager.query<KeyRow[]>(
      `WITH gone AS (DELETE FROM suppression WHERE ${condition} RETURNING scope_id, pseudonym) SELECT * FROM gone`,
      values,
    );
    this.touch(gone);
    return gone.length;
  }

  private touch(rows: readonly KeyRow[]): void {
    for (const { scope_id: scopeId, pseudonym } of rows)
      this.keys.set(keyText({ scopeId, pseudonym }), { scopeId, pseudonym });
  }
}
