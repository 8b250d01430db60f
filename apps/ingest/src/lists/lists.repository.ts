import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { ListRow } from './list.ts';
import type { OffsetQuery, Slice } from './page.ts';

/** Members deleted in one statement. */
const STEP = 1_000;
/** A domain that was just made is not missed by a replica that has not heard of it yet. */
const SETTLED = `interval '5 minutes'`;

/** Larger than every position. */
const GREATEST = '9223372036854775807';

const COLUMNS = `id, seq, account_id, domain_id, address_hash, sealed, access_level, reply_preference, members_count, created_at`;

export type NewList = Omit<ListRow, 'seq' | 'members_count'>;

@Injectable()
export class ListsRepository {
  constructor(private readonly database: Database) {}

  /** Undefined where the domain has a list of this address, or the account as many as it may. */
  async insert(list: NewList, most: number): Promise<ListRow | undefined> {
    const { rows } = await this.database.pool.query<ListRow>(
      `INSERT INTO mailing_list (id, account_id, domain_id, address_hash, sealed, access_level, reply_preference, created_at)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8
        WHERE (SELECT count(*) FROM mailing_list WHERE account_id = $2 AND NOT removed) < $9
       ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
      [
        list.id,
        list.account_id,
        list.domain_id,
        list.address_hash,
        list.sealed,
        list.access_level,
        list.reply_preference,
        list.created_at,
        most,
      ],
    );
    return rows[0];
  }

  /** Undefined where it is removed meanwhile. @throws where another list has this address: see `isTaken`. */
  async update(list: Omit<NewList, 'account_id' | 'created_at'>): Promise<ListRow | undefined> {
    const { rows } = await this.database.pool.query<ListRow>(
      `WITH changed AS (
         UPDATE mailing_list SET domain_id = $2, address_hash = $3, sealed = $4, access_level = $5, reply_preference = $6
          WHERE id = $1 AND NOT removed RETURNING ${COLUMNS})
       SELECT * FROM changed`,
      [list.id, list.domain_id, list.address_hash, list.sealed, list.access_level, list.reply_preference],
    );
    return rows[0];
  }

  /** By domain and keyed hash of the address; at most one. */
  async find(domainId: string, hash: Buffer): Promise<ListRow | undefined> {
    const { rows } = await this.database.pool.query<ListRow>({
      name: 'list-find',
      text: `SELECT ${COLUMNS} FROM mailing_list WHERE domain_id = $1 AND address_hash = $2 AND NOT removed`,
      values: [domainId, hash],
    });
    return rows[0];
  }

  async findMany(asked: readonly { domainId: string; hash: Buffer }[]): Promise<ListRow[]> {
    const { rows } = await this.database.pool.query<ListRow>({
      name: 'list-find-many',
      text: `SELECT ${COLUMNS} FROM mailing_list
              WHERE (domain_id, address_hash) IN (SELECT * FROM unnest($1::uuid[], $2::bytea[])) AND NOT removed`,
      values: [asked.map(({ domainId }) => domainId), asked.map(({ hash }) => hash)],
    });
    return rows;
  }

  /** In the direction asked for: backwards, the nearest to the position first. */
  async slice(accountId: string, { position, backwards, most }: Slice): Promise<ListRow[]> {
    const [beyond, order, end] = backwards ? (['<', 'DESC', GREATEST] as const) : (['>', 'ASC', '0'] as const);
    const { rows } = await this.database.pool.query<ListRow>(
      `SELECT ${COLUMNS} FROM mailing_list WHERE account_id = $1 AND NOT removed AND seq ${beyond} $2
        ORDER BY seq ${order} LIMIT $3`,
      [accountId, position ?? end, most],
    );
    return rows;
  }

  async offset(accountId: string, { skip, limit }: OffsetQuery): Promise<{ rows: ListRow[]; total: number }> {
    const { pool } = this.database;
    const [page, all] = await Promise.all([
      pool.query<ListRow>(
        `SELECT ${COLUMNS} FROM mailing_list WHERE account_id = $1 AND NOT removed ORDER BY seq OFFSET $2 LIMIT $3`,
        [accountId, skip, limit],
      ),
      pool.query<{ total: number }>(
        'SELECT count(*)::int AS total FROM mailing_list WHERE account_id = $1 AND NOT removed',
        [accountId],
      ),
    ]);
    return { rows: page.rows, total: all.rows[0]?.total ?? 0 };
  }

  /** From here on nobody finds them; members are there until they are `emptied`. Answers how many there were. */
  async remove(ids: readonly string[]): Promise<number> {
    const { rowCount } = await this.database.pool.query(
      'UPDATE mailing_list SET removed = true WHERE id = ANY($1::uuid[]) AND NOT removed',
      [ids],
    );
    return rowCount ?? 0;
  }

  /** Lists by the domains they are of; not those made this moment. */
  async settled(): Promise<{ id: string; domainId: string }[]> {
    const { rows } = await this.database.pool.query<{ id: string; domainId: string }>(
      `SELECT id, domain_id AS "domainId" FROM mailing_list WHERE NOT removed AND created_at < now() - ${SETTLED}`,
    );
    return rows;
  }

  async removed(): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      'SELECT id FROM mailing_list WHERE removed LIMIT 100',
    );
    return rows.map(({ id }) => id);
  }

  /** Deletes some members of a removed list, and when none is left the list. Answers whether it is gone. */
  emptied(id: string): Promise<boolean> {
    return this.database.withClientTransaction(async (client) => {
      // Nobody adds to it meanwhile: who does so has the row locked.
      const { rowCount } = await client.query('SELECT FROM mailing_list WHERE id = $1 AND removed FOR UPDATE', [id]);
      if (rowCount === 0) return true;
      const { rowCount: gone } = await client.query(
        `DELETE FROM mailing_list_member WHERE (list_id, subject_id) IN (
           SELECT list_id, subject_id FROM mailing_list_member WHERE list_id = $1 LIMIT ${STEP})`,
        [id],
      );
      if (gone === STEP) return false;
      await client.query('DELETE FROM mailing_list WHERE id = $1', [id]);
      return true;
    });
  }
}
