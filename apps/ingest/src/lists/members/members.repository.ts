import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { PoolClient } from 'pg';
import type { OffsetQuery, Slice } from '../page.ts';
import type { MemberRow } from './member.ts';

/** Larger than every position. */
const GREATEST = '9223372036854775807';
const NIL = '00000000-0000-0000-0000-000000000000';
/** Whoever changes members shares it, a fence has it alone; see `MembersService.fence`. */
const FENCE = `hashtext('lethe list members')`;

export type NewMember = Omit<MemberRow, 'seq'>;

@Injectable()
export class MembersRepository {
  constructor(private readonly database: Database) {}

  /** Runs in one transaction, which a fence waits for. */
  change<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.database.withClientTransaction(async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock_shared(${FENCE})`);
      return work(client);
    });
  }

  /** Resolves once every change that had begun, in whatever replica, is committed or given up. */
  fence(): Promise<void> {
    return this.database.withClientTransaction(async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock(${FENCE})`);
    });
  }

  /** Changes of a list wait for each other, so that its count is right. How many there are; undefined: it is removed. */
  async lock(client: PoolClient, listId: string): Promise<number | undefined> {
    const { rows } = await client.query<{ members_count: number }>(
      'SELECT members_count FROM mailing_list WHERE id = $1 AND NOT removed FOR UPDATE',
      [listId],
    );
    return rows[0]?.members_count;
  }

  async among(client: PoolClient, listId: string, subjects: readonly string[]): Promise<MemberRow[]> {
    const { rows } = await client.query<MemberRow>(
      'SELECT * FROM mailing_list_member WHERE list_id = $1 AND subject_id = ANY($2::uuid[])',
      [listId, subjects],
    );
    return rows;
  }

  /** New ones are counted, those that are there are replaced where they stand. The list is locked. */
  async put(client: PoolClient, members: readonly NewMember[]): Promise<MemberRow[]> {
    const column = <V>(value: (member: NewMember) => V): V[] => members.map(value);
    const { rows } = await client.query<MemberRow & { added: boolean }>(
      `INSERT INTO mailing_list_member AS m (list_id, subject_id, subscribed, sealed)
       SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bool[], $4::text[])
       ON CONFLICT (list_id, subject_id) DO UPDATE SET subscribed = excluded.subscribed, sealed = excluded.sealed
       RETURNING m.*, xmax = 0 AS added`,
      [
        column((member) => member.list_id),
        column((member) => member.subject_id),
        column((member) => member.subscribed),
        column((member) => member.sealed),
      ],
    );
    const listId = members[0]?.list_id;
    if (listId !== undefined) await this.count(client, listId, rows.filter(({ added }) => added).length);
    return rows;
  }

  /** Another person in the same place. The list is locked. */
  async replace(client: PoolClient, subject: string, member: NewMember): Promise<MemberRow | undefined> {
    const { rows } = await client.query<MemberRow>(
      `UPDATE mailing_list_member SET subject_id = $3, subscribed = $4, sealed = $5
        WHERE list_id = $1 AND subject_id = $2 RETURNING *`,
      [member.list_id, subject, member.subject_id, member.subscribed, member.sealed],
    );
    return rows[0];
  }

  /** How many there were. The list is locked. */
  async remove(client: PoolClient, listId: string, subject: string): Promise<number> {
    const { rowCount } = await client.query('DELETE FROM mailing_list_member WHERE list_id = $1 AND subject_id = $2', [
      listId,
      subject,
    ]);
    await this.count(client, listId, -(rowCount ?? 0));
    return rowCount ?? 0;
  }

  async find(listId: string, subject: string): Promise<MemberRow | undefined> {
    const { rows } = await this.database.pool.query<MemberRow>(
      'SELECT * FROM mailing_list_member WHERE list_id = $1 AND subject_id = $2',
      [listId, subject],
    );
    return rows[0];
  }

  /** In the direction asked for: backwards, the nearest to the position first. */
  async slice(
    listId: string,
    subscribed: boolean | undefined,
    { position, backwards, most }: Slice,
  ): Promise<MemberRow[]> {
    const [beyond, order, end] = backwards ? (['<', 'DESC', GREATEST] as const) : (['>', 'ASC', '0'] as const);
    const { rows } = await this.database.pool.query<MemberRow>(
      `SELECT * FROM mailing_list_member WHERE list_id = $1 AND seq ${beyond} $2 AND ($3::bool IS NULL OR subscribed = $3)
        ORDER BY seq ${order} LIMIT $4`,
      [listId, position ?? end, subscribed ?? null, most],
    );
    return rows;
  }

  async offset(
    listId: string,
    { skip, limit, subscribed }: OffsetQuery,
  ): Promise<{ rows: MemberRow[]; total: number }> {
    const { pool } = this.database;
    const whose = 'FROM mailing_list_member WHERE list_id = $1 AND ($2::bool IS NULL OR subscribed = $2)';
    const [page, all] = await Promise.all([
      pool.query<MemberRow>(`SELECT * ${whose} ORDER BY seq OFFSET $3 LIMIT $4`, [
        listId,
        subscribed ?? null,
        skip,
        limit,
      ]),
      pool.query<{ total: number }>(`SELECT count(*)::int AS total ${whose}`, [listId, subscribed ?? null]),
    ]);
    return { rows: page.rows, total: all.rows[0]?.total ?? 0 };
  }

  /** Everybody who is on some list, each once, in batches; from the start without `after`. */
  async everybody(after: string | undefined, most: number): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ subject_id: string }>(
      'SELECT DISTINCT subject_id FROM mailing_list_member WHERE subject_id > $1 ORDER BY subject_id LIMIT $2',
      [after ?? NIL, most],
    );
    return rows.map(({ subject_id: subject }) => subject);
  }

  /** Takes people out of all lists, some rows at a time; how many it took. `accountId`: of this one's lists alone. */
  removeEverywhere(subjects: readonly string[], most: number, accountId?: string): Promise<number> {
    return this.database.withClientTransaction(async (client) => {
      const { rows } = await client.query<{ list_id: string; subject_id: string }>(
        `SELECT m.list_id, m.subject_id FROM mailing_list_member m JOIN mailing_list l ON l.id = m.list_id
          WHERE m.subject_id = ANY($1::uuid[]) AND ($2::uuid IS NULL OR l.account_id = $2) LIMIT $3`,
        [subjects, accountId ?? null, most],
      );
      const lists = rows.map((row) => row.list_id);
      // In one order: two that are in the same lists wait for each other.
      await client.query('SELECT FROM mailing_list WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE', [lists]);
      const { rows: gone } = await client.query<{ members: number }>(
        `WITH gone AS (
           DELETE FROM mailing_list_member WHERE (list_id, subject_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
           RETURNING list_id
         ), counted AS (
           SELECT list_id, count(*)::int AS members FROM gone GROUP BY list_id
         ), noted AS (
           UPDATE mailing_list SET members_count = members_count - members FROM counted WHERE id = list_id
         )
         SELECT members FROM counted`,
        [lists, rows.map((row) => row.subject_id)],
      );
      return gone.reduce((sum, { members }) => sum + members, 0);
    });
  }

  /** On lists of the account. */
  async countOf(accountId: string, subjects: readonly string[]): Promise<number> {
    const { rows } = await this.database.pool.query<{ members: number }>(
      `SELECT count(*)::int AS members FROM mailing_list_member m JOIN mailing_list l ON l.id = m.list_id
        WHERE m.subject_id = ANY($1::uuid[]) AND l.account_id = $2`,
      [subjects, accountId],
    );
    return rows[0]?.members ?? 0;
  }

  private async count(client: PoolClient, listId: string, change: number): Promise<void> {
    if (change === 0) return;
    await client.query('UPDATE mailing_list SET members_count = members_count + $2 WHERE id = $1', [listId, change]);
  }
}
