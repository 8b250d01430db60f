import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { RETENTION } from '@lethe/contracts';
import { Database } from '@lethe/database';
import type { Hold, Scope } from './hold.entity.ts';

/** Rows of the queue that are woken with one statement. */
const PAGE = 5_000;

/** Pauses and cancellations, and the rows of the queue that they concern. */
@Injectable()
export class HoldsRepository {
  constructor(private readonly database: Database) {}

  /** All that are in force. */
  async standing(): Promise<Hold[]> {
    const { rows } = await this.database.pool.query<Hold>({
      name: 'holds-standing',
      text: 'select * from hold where until is null or until > now()',
    });
    return rows;
  }

  /** Begins a pause, or gives the one there is another end. */
  async pause(scope: Scope, target: string, until: Date | undefined): Promise<void> {
    await this.database.pool.query(
      `insert into hold (id, kind, scope, target, at, until) values ($1, 'pause', $2, $3, now(), $4)
       on conflict (kind, scope, target) do update set until = excluded.until`,
      [randomUUID(), scope, target, until ?? null],
    );
  }

  /** Answers whether there was one. */
  async resume(scope: Scope, target: string): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `delete from hold where kind = 'pause' and scope = $1 and target = $2 and (until is null or until > now())`,
      [scope, target],
    );
    return rowCount === 1;
  }

  /** Answers up to when mail of the domain is cancelled. */
  async cancel(domainId: string): Promise<Date> {
    const { rows } = await this.database.pool.query<{ at: Date }>(
      `insert into hold (id, kind, scope, target, at) values ($1, 'cancel', 'domain', $2, now())
       on conflict (kind, scope, target) do update set at = greatest(hold.at, excluded.at) returning at`,
      [randomUUID(), domainId],
    );
    return (rows[0] as { at: Date }).at;
  }

  /** Rows of the domain from before then are due now. What is under way is left to end. Answers how many; none: all are. */
  async wakeDomain(domainId: string, before: Date): Promise<number> {
    const { rowCount } = await this.database.pool.query(
      `with sleeping as (
         select message_id, ordinal from deferred
         where domain_id = $1 and accepted_at <= $2 and next_at > now() and (lease_until is null or lease_until < now())
         limit ${PAGE} for update skip locked
       )
       update deferred d set next_at = now(), paused_by = null
       from sleeping s where d.message_id = s.message_id and d.ordinal = s.ordinal`,
      [domainId, before],
    );
    return rowCount ?? 0;
  }

  /**
   * Rows that wait for a pause which is over are due now. It asks which pauses rows wait for by hopping through the index, so that a
   * queue full of paused mail costs no more than an empty one. Answers how many; none: all are.
   */
  async wakeResumed(): Promise<number> {
    const { rowCount } = await this.database.pool.query({
      name: 'holds-wake',
      text: `
        with recursive waited as (
          (select paused_by as id from deferred where paused_by is not null order by paused_by limit 1)
          union all
          select (select paused_by from deferred where paused_by > waited.id order by paused_by limit 1)
          from waited where waited.id is not null
        ), ended as (
          select array_agg(id) as ids from waited where id is not null and not exists (
            select from hold where hold.id = waited.id and (until is null or until > now()))
        ), sleeping as (
          select message_id, ordinal from deferred where paused_by = any((select ids from ended)::uuid[])
          limit ${PAGE} for update skip locked
        )
        update deferred d set next_at = least(d.next_at, now()), paused_by = null
        from sleeping s where d.message_id = s.message_id and d.ordinal = s.ordinal`,
    });
    return rowCount ?? 0;
  }

  /** Pauses and cancellations of an account and its domains, by their ids; how many there were. */
  async removeOf(ids: readonly string[]): Promise<number> {
    const { rowCount } = await this.database.pool.query(
      `delete from hold where scope in ('account', 'domain') and target = any($1)`,
      [ids],
    );
    return rowCount ?? 0;
  }

  async countOf(ids: readonly string[]): Promise<number> {
    const { rows } = await this.database.pool.query<{ holds: number }>(
      `select count(*)::int as holds from hold where scope in ('account', 'domain') and target = any($1)`,
      [ids],
    );
    return rows[0]?.holds ?? 0;
  }

  /** Pauses that have ended, and cancellations of mail that cannot be there any more. */
  async removeOver(): Promise<void> {
    await this.database.pool.query({
      name: 'holds-over',
      text: `delete from hold where until < now() or kind = 'cancel' and at < now() - make_interval(secs => $1)`,
      values: [RETENTION.queue.limitMs / 1_000],
    });
  }
}
