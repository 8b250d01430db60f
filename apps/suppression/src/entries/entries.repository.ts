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

/** Smaller than every account's id. */
const NIL = '00000000-0000-0000-0000-000000000000';

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

  /** All that the account holds of these people, by subject id or by pseudonym. */
  async ofPeople(accountId: string, subjects: readonly string[], pseudonyms: readonly Buffer[]): Promise<Entry[]> {
    const { rows } = await this.database.pool.query<EntryRow>(
      `SELECT * FROM suppression WHERE account_id = $1 AND subject_id = ANY($2)
       UNION
       SELECT * FROM suppression WHERE account_id = $1 AND pseudonym = ANY($3)
       ORDER BY pseudonym, scope_id, reason`,
      [accountId, subjects, pseudonyms],
    );
    return rows.map(entryOf);
  }

  /** Some of an account's entries, of every domain and of none. */
  async ofAccount(accountId: string, most: number): Promise<Entry[]> {
    const { rows } = await this.database.pool.query<EntryRow>(
      'SELECT * FROM suppression WHERE account_id = $1 ORDER BY pseudonym LIMIT $2',
      [accountId, most],
    );
    return rows.map(entryOf);
  }

  async countOfAccount(accountId: string): Promise<number> {
    const { rows } = await this.database.pool.query<{ entries: number }>(
      'SELECT count(*)::int AS entries FROM suppression WHERE account_id = $1',
      [accountId],
    );
    return rows[0]?.entries ?? 0;
  }

  /** Whether something within one of these domains, or the account, has not reached Kafka yet. */
  async isWaitingIn(scopes: readonly string[]): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `SELECT FROM outbox WHERE split_part(records->0->>'key', ':', 2) = ANY($1) LIMIT 1`,
      [scopes],
    );
    return rowCount === 1;
  }

  /** Domains that there are entries of, by hopping through the index. What holds for an account as a whole is of none. */
  async domains(): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ scope_id: string }>(`
      WITH RECURSIVE scope AS (
        (SELECT scope_id, account_id FROM suppression ORDER BY scope_id LIMIT 1)
        UNION ALL
        SELECT next.* FROM scope, LATERAL (
          SELECT s.scope_id, s.account_id FROM suppression s WHERE s.scope_id > scope.scope_id ORDER BY s.scope_id LIMIT 1
        ) next
      )
      SELECT scope_id FROM scope WHERE scope_id <> account_id`);
    return rows.map(({ scope_id: domainId }) => domainId);
  }

  async ofDomain(domainId: string, most: number): Promise<Entry[]> {
    const { rows } = await this.database.pool.query<EntryRow>(
      'SELECT * FROM suppression WHERE scope_id = $1 ORDER BY pseudonym LIMIT $2',
      [domainId, most],
    );
    return rows.map(entryOf);
  }

  /** Whether something about one of these people has not reached Kafka yet. */
  async isWaiting(pseudonyms: readonly Buffer[]): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `SELECT FROM outbox WHERE split_part(records->0->>'key', ':', 1) = ANY($1) LIMIT 1`,
      [pseudonyms.map((pseudonym) => pseudonym.toString('base64url'))],
    );
    return rowCount === 1;
  }

  /** People with a subject whom entries refer to, each once, in batches; from the start without `after`. */
  async referredTo(
    after: { accountId: string; pseudonym: Buffer } | undefined,
    most: number,
  ): Promise<{ accountId: string; pseudonym: Buffer }[]> {
    const { rows } = await this.database.pool.query<Pick<EntryRow, 'account_id' | 'pseudonym'>>(
      `SELECT DISTINCT account_id, pseudonym FROM suppression
        WHERE subject_id IS NOT NULL AND (account_id, pseudonym) > ($1::uuid, $2::bytea)
        ORDER BY account_id, pseudonym LIMIT $3`,
      [after?.accountId ?? NIL, after?.pseudonym ?? LEAST, most],
    );
    return rows.map(({ account_id: accountId, pseudonym }) => ({ accountId, pseudonym }));
  }
}
