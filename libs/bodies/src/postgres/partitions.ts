import { RETENTION } from '@lethe/contracts';
import type { ClientBase, Pool } from 'pg';
import type { Oldest } from '../store/body-store.ts';

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

/** The lowest v7 UUID of an instant (RFC 9562 §5.7). */
const FIRST_ID = (instant: string): string =>
  `overlay(lpad(to_hex((extract(epoch from ${instant}) * 1000)::bigint), 12, '0') placing '-' from 9 for 0)`;

/**
 * When the oldest bodies were accepted: message ids are uuid v7 and carry it. Only the first rows of each drop time are read, because
 * accounts keep bodies for different times: those that are there for longer than all others come first, by their age.
 */
export async function oldestBodies(client: Executor): Promise<Oldest> {
  const { rows } = await client.query<Oldest>(
    `
    with recursive dropped as (
      (select drop_at from bodies.body order by drop_at limit 1)
      union all
      select next.* from dropped, lateral (
        select drop_at from bodies.body b where b.drop_at > dropped.drop_at order by drop_at limit 1
      ) next
    ), bound as (
      select drop_at, (${FIRST_ID(`drop_at - make_interval(secs => $1)`)} || '-7000-8000-000000000000')::uuid as id from dropped
    )
    select min(uuid_extract_timestamp(usual.message_id)) as body, min(uuid_extract_timestamp(longer.message_id)) as instructed
    from bound
    left join lateral (
      select message_id from bodies.body b where b.drop_at = bound.drop_at and message_id >= bound.id order by message_id limit 1
    ) usual on true
    left join lateral (
      select message_id from bodies.body b where b.drop_at = bound.drop_at and message_id < bound.id order by message_id limit 1
    ) longer on true`,
    [limitMs / 1000],
  );
  return rows[0] ?? { body: null, instructed: null };
}
