import { RETENTION } from '@lethe/contracts';
import type { ClientBase, Pool } from 'pg';

type Executor = Pick<ClientBase | Pool, 'query'>;

const { bucketMs, limitMs } = RETENTION.body;
/** PostgreSQL's lock_not_available. */
const LOCKED = '55P03';

/** Makes the partitions that what is accepted within the next two buckets will need. Safe to repeat. */
export async function makeAhead(client: Executor): Promise<void> {
  await client.query('select bodies.make_ahead(make_interval(secs => $1), make_interval(secs => $2))', [
    bucketMs / 1000,
    limitMs / 1000,
  ]);
}

/** Drops what is past its time, partition by partition; answers how many. One that is being read is left for the next time. */
export async function dropDue(client: Executor): Promise<number> {
  for (let dropped = 0; ; dropped += 1) {
    try {
      const { rows } = await client.query<{ dropped: boolean }>('select bodies.drop_due() as dropped');
      if (!rows[0]?.dropped) return dropped;
    } catch (error) {
      if ((error as { code?: unknown }).code === LOCKED) return dropped;
      throw error;
    }
  }
}

/**
 * When the oldest body was accepted: message ids are uuid v7 and carry it. Only the first row of each drop time is read,
 * because accounts keep bodies for different times.
 */
export async function oldestBody(client: Executor): Promise<Date | null> {
  const { rows } = await client.query<{ oldest: Date | null }>(`
    with recursive first as (
      (select drop_at, message_id from bodies.body order by drop_at, message_id limit 1)
      union all
      select next.* from first, lateral (
        select drop_at, message_id from bodies.body b where b.drop_at > first.drop_at order by drop_at, message_id limit 1
      ) next
    )
    select min(uuid_extract_timestamp(message_id)) as oldest from first`);
  return rows[0]?.oldest ?? null;
}
