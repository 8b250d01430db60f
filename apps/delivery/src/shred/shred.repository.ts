import { Injectable } from '@nestjs/common';
import type { MailAccepted } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { Batcher } from '@lethe/service';
import type { ContentKeyOf } from '@lethe/vault';
import type { Pool, PoolClient } from 'pg';

const BATCH = { maxItems: 200, lingerMs: 0, maxQueued: 20_000, concurrency: 2 };
/** Told to the vault with one call. */
const GIVEN_UP_AT_ONCE = 500;

/** One recipient of a message that is shredded after its last. */
interface Ended {
  readonly messageId: string;
  readonly dropAt: Date;
  readonly ordinal: number;
  readonly of: number;
}

/** A bit each, so that a recipient who ends twice (a crash repeats an attempt) counts once. In order, so that none waits in a circle. */
const NOTE = `
  insert into shred (message_id, drop_at, ended)
  select m, max(d), bit_or(set_bit(repeat('0', n)::varbit, o, 1))
    from unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::int[]) as t(m, d, o, n)
   group by m order by m
  on conflict (message_id) do update set ended = shred.ended | excluded.ended`;

/** Which recipients of messages with a retention of 0 have ended: delivered, failed for good, expired, or forgotten. */
@Injectable()
export class ShredRepository {
  private readonly notes = new Batcher<Ended, void>(BATCH, async (items) => {
    await note(this.database.pool, items);
    return items.map(() => undefined);
  });

  constructor(private readonly database: Database) {}

  /** Resolves once it is kept that this recipient has ended; at once for a message that is kept for its time. */
  async ended(record: MailAccepted): Promise<void> {
    for (const item of endedOf(record)) await this.notes.add(item);
  }

  /** The same inside the caller's transaction, for those it takes out of the queue. */
  async endedIn(client: PoolClient, records: readonly MailAccepted[]): Promise<void> {
    const items = records.flatMap(endedOf);
    if (items.length > 0) await note(client, items);
  }

  /**
   * Hands some messages over that have no recipient left, and forgets them once `giveUp` has resolved; answers how many. A kill in
   * between repeats it. Replicas take different ones.
   */
  handOver(giveUp: (messages: ContentKeyOf[]) => Promise<void>): Promise<number> {
    return this.database.withClientTransaction(async (client) => {
      const { rows } = await client.query<{ message_id: string; drop_at: Date }>(
        `select message_id, drop_at from shred where bit_count(ended) = length(ended)
          order by message_id limit ${GIVEN_UP_AT_ONCE} for update skip locked`,
      );
      if (rows.length === 0) return 0;
      await giveUp(rows.map(({ message_id: messageId, drop_at: dropAt }) => ({ messageId, dropAt })));
      await client.query('delete from shred where message_id = any($1::uuid[])', [
        rows.map(({ message_id: messageId }) => messageId),
      ]);
      return rows.length;
    });
  }

  /** Those whose key is gone with its drop time, whatever became of their recipients; answers how many. */
  async removeDue(): Promise<number> {
    const { rowCount } = await this.database.pool.query('delete from shred where drop_at <= now()');
    return rowCount ?? 0;
  }
}

const endedOf = ({ messageId, ordinal, dropAt, shredAfter: of = 0 }: MailAccepted): Ended[] =>
  ordinal < of ? [{ messageId, dropAt: new Date(dropAt), ordinal, of }] : [];

async function note(client: Pick<Pool | PoolClient, 'query'>, items: readonly Ended[]): Promise<void> {
  await client.query({
    name: 'shred-note',
    text: NOTE,
    values: [
      items.map(({ messageId }) => messageId),
      items.map(({ dropAt }) => dropAt),
      items.map(({ ordinal }) => ordinal),
      items.map(({ of }) => of),
    ],
  });
}
