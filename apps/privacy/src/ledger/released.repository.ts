import { Database } from '@lethe/database';
import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { DoomedKey } from './ledger.entry.ts';

interface Row {
  drop_at: Date;
  message_id: string;
}

/** Before every key. */
const FIRST: DoomedKey = { messageId: '00000000-0000-0000-0000-000000000000', dropAt: new Date(0) };

/**
 * Content keys that have to be gone and that no request is about: of removed messages, and of those that are shredded after their last
 * recipient. There may be one of every message there is, so they are no part of the ledger, which is kept for good: noted before they
 * are destroyed, and forgotten at their drop time, when a key is gone from every vault anyhow.
 */
@Injectable()
export class ReleasedRepository {
  constructor(private readonly database: Database) {}

  async add(client: PoolClient, keys: readonly DoomedKey[]): Promise<void> {
    if (keys.length === 0) return;
    await client.query(
      `insert into released_key (drop_at, message_id)
       select * from unnest($1::timestamptz[], $2::uuid[]) order by 1, 2 on conflict do nothing`,
      [keys.map(({ dropAt }) => dropAt), keys.map(({ messageId }) => messageId)],
    );
  }

  /** All of them, so many at a time. */
  async *pages(size: number): AsyncGenerator<DoomedKey[]> {
    for (let last: DoomedKey | undefined = FIRST; last !== undefined;) {
      const { rows }: { rows: Row[] } = await this.database.pool.query<Row>(
        `select drop_at, message_id from released_key where drop_at > now() and (drop_at, message_id) > ($1, $2)
         order by drop_at, message_id limit $3`,
        [last.dropAt, last.messageId, size],
      );
      const keys: DoomedKey[] = rows.map(({ drop_at: dropAt, message_id: messageId }) => ({ messageId, dropAt }));
      if (keys.length > 0) yield keys;
      last = keys.length === size ? keys.at(-1) : undefined;
    }
  }

  async expire(): Promise<void> {
    await this.database.pool.query('delete from released_key where drop_at <= now()');
  }
}
