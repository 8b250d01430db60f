import { Database } from '@lethe/database';
import { Injectable } from '@nestjs/common';
import { dueDate } from '../requests/due-date.ts';
import type { ClosedAccount } from './closings.worker.ts';

/** Requests by which closed accounts are erased: one of an account, ever. */
@Injectable()
export class ClosingsRepository {
  constructor(private readonly database: Database) {}

  /** Once; a repetition changes nothing. */
  async receive({ accountId, parentId, closing: { request, at, by } }: ClosedAccount): Promise<void> {
    const receivedAt = new Date(at);
    await this.database.withClientTransaction(async (client) => {
      const { rowCount } = await client.query(
        `insert into request (id, account_id, parent_id, type, state, stage, subjects, do_not_contact, received_at, due_at)
         values ($1, $2, $3, 'account-erasure', 'received', 'hold', 0, 'remove', $4, $5) on conflict do nothing`,
        [request, accountId, parentId ?? null, receivedAt, dueDate(receivedAt)],
      );
      if (rowCount !== 1) return;
      await client.query(`insert into request_history (request_id, state, at, by) values ($1, 'received', $2, $3)`, [
        request,
        receivedAt,
        by === 'operator' ? by : `key …${by.slice(-4)}`,
      ]);
    });
  }

  /** The request of an account that was closed; undefined: it is open. */
  async of(accountId: string): Promise<string | undefined> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      `select id from request where account_id = $1 and type = 'account-erasure'`,
      [accountId],
    );
    return rows[0]?.id;
  }
}
