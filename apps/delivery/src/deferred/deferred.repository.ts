import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { MailAccepted } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { Batcher, CONFIG } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';

/** One recipient of one message. */
export type Key = Pick<MailAccepted, 'messageId' | 'ordinal'>;

/** What a row says about the attempt to come, or under way. */
export interface DeferredAttempt {
  record: MailAccepted;
  partition: number;
  attempt: number;
  maybeDuplicate: boolean;
  /** The pause it waits for. */
  pausedBy?: string;
}

interface Change extends DeferredAttempt {
  /** Epoch ms. */
  nextAt: number;
}

interface Put extends Change {
  /** The attempt is under way in this process. */
  held: boolean;
}

interface ClaimedRow {
  partition: number;
  attempt: number;
  record: string;
  maybe_duplicate: boolean;
}

const BATCH = { maxItems: 200, lingerMs: 0, maxQueued: 20_000, concurrency: 2 };

/** The deferred queue. Concurrent callers share statements; every promise resolves after the commit. */
@Injectable()
export class DeferredRepository {
  /** Names this process in leases. */
  private readonly owner = randomUUID();
  private readonly leaseMs: number;
  private readonly puts = new Batcher<Put, void>(BATCH, (items) => this.putMany(items));
  private readonly changes = new Batcher<Change, void>(BATCH, (items) => this.changeMany(items));
  private readonly removals = new Batcher<Key, void>(BATCH, (items) => this.removeMany(items));

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) config: DeliveryConfig,
  ) {
    this.leaseMs = config.RETRY_LEASE_MS;
  }

  /** Queues the next attempt; replaces what is known of the recipient. */
  put(attempt: DeferredAttempt, nextAt: number): Promise<void> {
    return this.puts.add({ ...attempt, nextAt, held: false });
  }

  /**
   * The next attempt of one that has its row already. Where the row is gone, an erasure has taken it, or another process has
   * ended what was leased to us for too long: then it stays gone.
   */
  again(attempt: DeferredAttempt, nextAt: number): Promise<void> {
    return this.changes.add({ ...attempt, nextAt });
  }

  /** Takes over an attempt that is under way here, so that its Kafka record need not wait for it. */
  hold(attempt: DeferredAttempt): Promise<void> {
    return this.puts.add({ ...attempt, nextAt: Date.now(), held: true });
  }

  remove(key: Key): Promise<void> {
    return this.removals.add(key);
  }

  /** Some of those whose message was accepted longer ago; answers how many. Replicas take different ones. */
  async removeOlderThan(ageMs: number): Promise<number> {
    const { rowCount } = await this.database.pool.query({
      name: 'deferred-sweep',
      text: `
        with old as (
          select message_id, ordinal from deferred where accepted_at < now() - make_interval(secs => $1)
          order by accepted_at limit 1000 for update skip locked
        )
        delete from deferred d using old where d.message_id = old.message_id and d.ordinal = old.ordinal`,
      values: [ageMs / 1_000],
    });
    return rowCount ?? 0;
  }

  async has({ messageId, ordinal }: Key): Promise<boolean> {
    const { rowCount } = await this.database.pool.query({
      name: 'deferred-has',
      text: 'select 1 from deferred where message_id = $1 and ordinal = $2',
      values: [messageId, ordinal],
    });
    return rowCount === 1;
  }

  /**
   * Due attempts of the partitions, at most `limit`, ours until the lease ends. That they began is written before they do:
   * one whose process died comes back as `maybeDuplicate`.
   */
  async claim(partitions: readonly number[], limit: number): Promise<DeferredAttempt[]> {
    const { rows } = await this.database.pool.query<ClaimedRow>({
      name: 'deferred-claim',
      text: `
        with due as (
          select message_id, ordinal, started from deferred
          where partition = any($1) and next_at <= now() and (lease_until is null or lease_until < now())
          order by next_at limit $2 for update skip locked
        )
        update deferred d set started = true, maybe_duplicate = d.maybe_duplicate or due.started,
          lease_owner = $3, lease_until = now() + make_interval(secs => $4)
        from due where d.message_id = due.message_id and d.ordinal = due.ordinal
        returning d.partition, d.attempt, d.record, d.maybe_duplicate`,
      values: [partitions, limit, this.owner, this.leaseMs / 1_000],
    });
    return rows.map(({ partition, attempt, record, maybe_duplicate: maybeDuplicate }) => ({
      // Written by this service from a record that had passed its contract.
      record: JSON.parse(record) as MailAccepted,
      partition,
      attempt,
      maybeDuplicate,
    }));
  }

  /** Keeps what this process works on for another lease. What it does not name runs out, whatever went wrong. */
  async renew(keys: readonly Key[]): Promise<void> {
    await this.database.pool.query({
      name: 'deferred-renew',
      text: `update deferred d set lease_until = now() + make_interval(secs => $2)
        from unnest($3::uuid[], $4::int[]) as t(m, o)
        where d.message_id = t.m and d.ordinal = t.o and d.lease_owner = $1 and d.started`,
      values: [
        this.owner,
        this.leaseMs / 1_000,
        keys.map(({ messageId }) => messageId),
        keys.map(({ ordinal }) => ordinal),
      ],
    });
  }

  /**
   * `record` of a row that is there stays as it is: an erasure may have taken people out of it since ours was read. So does what it
   * knows of a copy that may have been sent.
   */
  private async putMany(items: Put[]): Promise<void[]> {
    const last = lastWords(items);
    const column = <V>(value: (item: Put) => V): V[] => last.map(value);
    await this.database.pool.query({
      name: 'deferred-put',
      text: `
        insert into deferred (message_id, ordinal, partition, attempt, record, accepted_at, next_at, maybe_duplicate, started,
          lease_owner, lease_until, domain_id, paused_by)
        select m, o, p, a, r, to_timestamp(c / 1000.0), to_timestamp(n / 1000.0), d, held,
          case when held then $10::uuid end, case when held then now() + make_interval(secs => $11) end, s, w
        from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::float8[], $7::float8[], $8::bool[],
          $9::bool[], $12::uuid[], $13::uuid[]) as t(m, o, p, a, r, c, n, d, held, s, w)
        order by m, o
        on conflict (message_id, ordinal) do update set attempt = excluded.attempt, next_at = excluded.next_at,
          maybe_duplicate = excluded.maybe_duplicate or deferred.maybe_duplicate or deferred.started, started = excluded.started,
          lease_owner = excluded.lease_owner, lease_until = excluded.lease_until, paused_by = excluded.paused_by`,
      values: [
        column(({ record }) => record.messageId),
        column(({ record }) => record.ordinal),
        column(({ partition }) => partition),
        column(({ attempt }) => attempt),
        column(({ record }) => JSON.stringify(record)),
        column(({ record }) => record.acceptedAt),
        column(({ nextAt }) => nextAt),
        column(({ maybeDuplicate }) => maybeDuplicate),
        column(({ held }) => held),
        this.owner,
        this.leaseMs / 1_000,
        column(({ record }) => record.domainId),
        column(({ pausedBy }) => pausedBy ?? null),
      ],
    });
    return items.map(() => undefined);
  }

  private async changeMany(items: Change[]): Promise<void[]> {
    const last = lastWords(items);
    const column = <V>(value: (item: Change) => V): V[] => last.map(value);
    await this.database.pool.query({
      name: 'deferred-again',
      text: `
        with next as (
          select d.message_id, d.ordinal, t.a, t.n, t.d, t.w
          from unnest($1::uuid[], $2::int[], $3::int[], $4::float8[], $5::bool[], $6::uuid[]) as t(m, o, a, n, d, w)
          join deferred d on d.message_id = t.m and d.ordinal = t.o
          order by t.m, t.o for update of d
        )
        update deferred d set attempt = next.a, next_at = to_timestamp(next.n / 1000.0), maybe_duplicate = next.d,
          started = false, lease_owner = null, lease_until = null, paused_by = next.w
        from next where d.message_id = next.message_id and d.ordinal = next.ordinal`,
      values: [
        column(({ record }) => record.messageId),
        column(({ record }) => record.ordinal),
        column(({ attempt }) => attempt),
        column(({ nextAt }) => nextAt),
        column(({ maybeDuplicate }) => maybeDuplicate),
        column(({ pausedBy }) => pausedBy ?? null),
      ],
    });
    return items.map(() => undefined);
  }

  private async removeMany(keys: Key[]): Promise<void[]> {
    await this.database.pool.query({
      name: 'deferred-remove',
      text: `delete from deferred d using unnest($1::uuid[], $2::int[]) as t(m, o)
        where d.message_id = t.m and d.ordinal = t.o`,
      values: [keys.map(({ messageId }) => messageId), keys.map(({ ordinal }) => ordinal)],
    });
    return keys.map(() => undefined);
  }
}

/** One recipient twice in a statement would fail it; the later word counts. */
function lastWords<T extends Change>(items: T[]): T[] {
  return [...new Map(items.map((item) => [`${item.record.messageId}/${item.record.ordinal}`, item])).values()];
}
