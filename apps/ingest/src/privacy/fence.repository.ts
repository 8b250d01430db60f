import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';

/** Transactions that have inserted messages and are not over, of all replicas. */
const WRITERS = `
  SELECT virtualtransaction AS id FROM pg_locks
   WHERE locktype = 'relation' AND relation = 'message'::regclass AND mode = 'RowExclusiveLock' AND granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

const WAITING = `
  SELECT o.id FROM outbox o JOIN message m ON m.id = o.id
   WHERE m.account_id = $1 AND (
     EXISTS (SELECT FROM message_recipient p WHERE p.message_id = o.id AND p.subject_id = ANY($2::uuid[]))
     OR EXISTS (SELECT FROM message_related p WHERE p.message_id = o.id AND p.subject_id = ANY($2::uuid[])))`;

/** What was begun before a fence: asked once what there is, then how much of it is left. */
@Injectable()
export class FenceRepository {
  constructor(private readonly database: Database) {}

  /** Commits of messages that are under way. */
  async writers(): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(WRITERS);
    return rows.map(({ id }) => id);
  }

  async writersLeft(before: readonly string[]): Promise<string[]> {
    const now = new Set(await this.writers());
    return before.filter((id) => now.has(id));
  }

  /** Messages that name these people and that Kafka does not have yet. */
  async waiting(accountId: string, subjects: readonly string[]): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(WAITING, [accountId, subjects]);
    return rows.map(({ id }) => id);
  }

  /** Messages of the account that Kafka does not have yet. */
  async waitingOf(accountId: string): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      'SELECT o.id FROM outbox o JOIN message m ON m.id = o.id WHERE m.account_id = $1',
      [accountId],
    );
    return rows.map(({ id }) => id);
  }

  async waitingLeft(before: readonly string[]): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      'SELECT id FROM outbox WHERE id = ANY($1::uuid[])',
      [before],
    );
    return rows.map(({ id }) => id);
  }
}
