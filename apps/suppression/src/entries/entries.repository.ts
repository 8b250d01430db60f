import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { entryOf, type Entry, type EntryKey, type EntryRow, type Reason } from './entry.ts';

/** A part of a list, in the order of pseudonyms, which no change of others moves. */
export interface Slice {
  /** Strictly before or after this one; from the list's end without it. */
  readonly pivot: Buffer | undefined;
  readonly backwards: boolean;
  readonly most: number;
}

/** Smaller than every pseudonym, and larger. */
const LEAST = Buffer.alloc(0);
const GREATEST = Buffer.alloc(33, 0xff);

/** Reads entries. */
@Injectable()
export class EntriesRepository {
  constructor(private readonly database: Database) {}

  async find({ scopeId, pseudonym }: EntryKey, reason: Reason): Promise<Entry | undefined> {
    const { rows } = await this.database.pool.query<EntryRow>({
      name: 'entry-find',
      text: 'SELECT * FROM suppression WHERE scope_id = $1 AND reason = $2 AND pseudonym = $3',
      values: [scopeId, reason, pseudonym],
    });
    return rows.map(entryOf)[0];
  }

  /** In the direction asked for: backwards, the nearest to the pivot first. */
  async slice(scopeId: string, reason: Reason, { pivot, backwards, most }: Slice): Promise<Entry[]> {
    const [beyond, order, end] = backwards ? (['<', 'DESC', GREATEST] as const) : (['>', 'ASC', LEAST] as const);
    const { rows } = await this.database.pool.query<EntryRow>({
      name: `entry-slice-${order}`,
      text: `SELECT * FROM suppression WHERE scope_id = $1 AND reason = $2 AND pseudonym ${beyond} $3
             ORDER BY pseudonym ${order} LIMIT $4`,
      values: [scopeId, reason, pivot ?? end, most],
    });
    return rows.map(entryOf);
  }
}
