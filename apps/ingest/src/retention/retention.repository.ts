import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';

/** Messages deleted by one statement, with at most 1,000 recipients each. */
const BATCH = 100;

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
}
