import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { BodiesDays } from '../settings/sending.domains.ts';

const DAY = 86_400_000;
/** Messages deleted by one statement, with at most 1,000 recipients each. */
const BATCH = 100;
/** Marked by one statement. */
const SHORTENED_AT_ONCE = 1_000;

/**
 * Due messages with all that belongs to them. An outbox row is only there still if Kafka was away all the time; its mail can
 * no longer be sent.
 */
const DELETE_DUE = `
  WITH due AS (
    SELECT id FROM message WHERE drop_at <= now() ORDER BY drop_at LIMIT $1 FOR UPDATE SKIP LOCKED
  ), recipients AS (
    DELETE FROM message_recipient USING due WHERE message_id = due.id
  ), related AS (
    DELETE FROM message_related USING due WHERE message_id = due.id
  ), waiting AS (
    DELETE FROM outbox USING due WHERE outbox.id = due.id
  )
  DELETE FROM message USING due WHERE message.id = due.id`;

/** Kafka was away for all of the week in which its records could be sent. */
const DELETE_UNPUBLISHED = `DELETE FROM outbox WHERE created_at <= now() - interval '6 days 23 hours 50 minutes'`;

/**
 * Messages that are older than their domain keeps bodies now; of a domain that is gone, than its account does; of none of these, than
 * everybody else does, if that is said. They are removed as their account would: `RemovalWorker` gives their content keys up, and delivery still sends what waits. In the order of ids, so that all
 * batches together look at each message once.
 */
const REMOVE_KEPT = `
  WITH short AS (
    SELECT m.id FROM message m
      LEFT JOIN unnest($1::uuid[], $2::int[]) AS d (id, days) ON m.domain_id = d.id
      LEFT JOIN unnest($3::uuid[], $4::int[]) AS a (id, days) ON m.account_id = a.id
     WHERE m.id > $5 AND m.stored = 'readable'
       AND m.accepted_at <= now() - make_interval(days => coalesce(d.days, a.days, $6))
       AND ($6 IS NULL OR m.id < $7)
     ORDER BY m.id LIMIT ${SHORTENED_AT_ONCE} FOR UPDATE OF m SKIP LOCKED
  )
  UPDATE message SET stored = 'removed' FROM short WHERE message.id = short.id RETURNING message.id`;

@Injectable()
export class RetentionRepository {
  constructor(private readonly database: Database) {}

  /** Deletes some messages past their drop time; answers how many. Replicas take different ones. */
  async deleteDue(): Promise<number> {
    const { rowCount } = await this.database.pool.query({
      name: 'delete-due-messages',
      text: DELETE_DUE,
      values: [BATCH],
    });
    return rowCount ?? 0;
  }

  /** Answers how many. */
  async deleteUnpublished(): Promise<number> {
    const { rowCount } = await this.database.pool.query(DELETE_UNPUBLISHED);
    return rowCount ?? 0;
  }

  /**
   * Ids of some messages behind `after`, in order, that are kept for longer than that; nobody reads them any more. `others`: after how
   * many days all that are not named there; only messages older than that are looked at then.
   */
  async removeKept({ domains, accounts }: BodiesDays, after: string, others?: number): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(REMOVE_KEPT, [
      [...domains.keys()],
      [...domains.values()],
      [...accounts.keys()],
      [...accounts.values()],
      after,
      others ?? null,
      firstIdOf(Date.now() - (others ?? 0) * DAY),
    ]);
    return rows.map(({ id }) => id).toSorted();
  }

  /** Which of these messages there are. */
  async known(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      'SELECT id FROM message WHERE id = ANY($1::uuid[])',
      [ids],
    );
    return new Set(rows.map(({ id }) => id));
  }
}

/** The lowest v7 UUID of an instant (RFC 9562 §5.7). */
function firstIdOf(at: number): string {
  const hex = at.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
