import type { Pool } from 'pg';
import type { Log } from '@lethe/service';
import { settleWithin } from '@lethe/service';
import { OutboxFullError } from '../errors.ts';
import { observeOutbox } from '../metrics.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { EncodedRecord } from '../records/record.ts';

/** Runs a statement inside the caller's transaction: a `pg` client or a TypeORM `EntityManager`. */
export interface SqlExecutor {
  query(text: string, values?: unknown[]): Promise<unknown>;
}

/** Records that are published together: of one message, or of one state change. */
export interface OutboxGroup {
  /** uuidv7, the row's id. */
  id: string;
  records: readonly EncodedRecord[];
}

export interface OutboxOptions {
  /** Groups that may wait for Kafka; `assertRoom` throws above it. */
  mostPending: number;
  /** Ids deleted with one statement, at most. */
  deleteBatch?: number;
}

const COUNT_EVERY_MS = 1_000;
/** From the insert of a group to its commit and publishing, at most; then what it may have left is the relay's. */
const HANDED_OVER_WITHIN_MS = 15_000;
const DELETE_AFTER_MS = 5;

/**
 * State change and event share one transaction: the caller inserts groups inside it, and after the commit hands them to
 * `publishNow`. What does not get through is published by the relay.
 */
export class Outbox {
  /** Groups this process is publishing; the relay leaves them alone, also while Kafka is away. */
  readonly underWay = new Set<string>();
  /**
   * Groups this process has inserted and not handed to `publishNow` yet, and since when (monotonic ms): by the time their commit is
   * seen they can be older than the relay waits for, and both would publish them.
   */
  private readonly inserted = new Map<string, number>();
  private published: string[] = [];
  private deleting: Promise<void> | undefined;
  private rows = 0;
  private insertedSinceCount = 0;
  private counter: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly publisher: Publisher,
    private readonly log: Log,
    private readonly options: OutboxOptions,
  ) {
    observeOutbox(() => this.pending);
  }

  /** Groups waiting, as of at most a second ago. */
  get pending(): number {
    return this.rows + this.insertedSinceCount;
  }

  /** Throws `OutboxFullError` when more wait than allowed: to be asked before accepting anything. */
  assertRoom(): void {
    if (this.pending > this.options.mostPending) throw new OutboxFullError();
  }

  /** Groups of this process that the relay is not to publish: they are, or are about to be, published here. */
  get ours(): string[] {
    const since = performance.now() - HANDED_OVER_WITHIN_MS;
    // Rolled back, or nobody knows: oldest first.
    for (const [id, at] of this.inserted) if (at < since) this.inserted.delete(id);
    return [...this.inserted.keys(), ...this.underWay];
  }

  /** Adds groups inside the caller's transaction, with one statement. */
  async insertMany(client: SqlExecutor, groups: readonly OutboxGroup[]): Promise<void> {
    if (groups.length === 0) return;
    const at = performance.now();
    for (const { id } of groups) {
      this.inserted.delete(id);
      this.inserted.set(id, at);
    }
    // By the clock, not by `now()`, which stands still in a transaction: other replicas' relays count from here.
    await client.query(
      'INSERT INTO outbox (id, created_at, records) SELECT id, clock_timestamp(), records FROM unnest($1::uuid[], $2::jsonb[]) AS u(id, records)',
      [groups.map(({ id }) => id), groups.map(({ records }) => JSON.stringify(records))],
    );
  }

  /**
   * Publishes committed groups and deletes their rows. Resolves once Kafka has them; after `waitMs` it resolves too, with
   * `false`: they are published later, by this call going on behind or by the relay. Never rejects.
   */
  async publishNow(groups: readonly OutboxGroup[], waitMs: number): Promise<boolean> {
    this.insertedSinceCount += groups.length;
    return this.publishAgain(groups, waitMs);
  }

  /** The same for rows that are counted already. */
  async publishAgain(groups: readonly OutboxGroup[], waitMs: number): Promise<boolean> {
    for (const { id } of groups) {
      this.underWay.add(id);
      this.inserted.delete(id);
    }
    const work = this.publish(groups);
    return (await settleWithin(work, waitMs)) === 'settled' && work;
  }

  start(): void {
    const count = () => void this.count();
    this.counter = setInterval(count, COUNT_EVERY_MS);
    count();
  }

  async stop(): Promise<void> {
    clearInterval(this.counter);
    await this.deleting;
  }

  private async publish(groups: readonly OutboxGroup[]): Promise<boolean> {
    try {
      await this.publisher.send(groups.flatMap(({ records }) => records));
      this.deleteSoon(groups.map(({ id }) => id));
      return true;
    } catch (error) {
      this.log.warn('kafka.outbox-left-to-relay', { groups: groups.length, error });
      for (const { id } of groups) this.underWay.delete(id);
      return false;
    }
  }

  /** Published rows are deleted together, a few milliseconds later; the relay repeats what a crash leaves. */
  private deleteSoon(ids: string[]): void {
    this.published.push(...ids);
    this.deleting ??= new Promise((resolve) => setTimeout(resolve, DELETE_AFTER_MS)).then(() => this.deletePublished());
  }

  private async deletePublished(): Promise<void> {
    const { deleteBatch = 1_000 } = this.options;
    while (this.published.length > 0) {
      const ids = this.published.splice(0, deleteBatch);
      try {
        await this.pool.query('DELETE FROM outbox WHERE id = ANY($1::uuid[])', [ids]);
      } catch (error) {
        // The database is away: its rows come again through the relay, marked, which every consumer stands.
        this.log.warn('kafka.outbox-rows-stay', { rows: ids.length, error });
      }
      for (const id of ids) this.underWay.delete(id);
    }
    this.deleting = undefined;
  }

  private async count(): Promise<void> {
    try {
      const { rows } = await this.pool.query<{ n: string }>('SELECT count(*) AS n FROM outbox');
      this.rows = Number(rows[0]?.n ?? 0);
      this.insertedSinceCount = 0;
    } catch {
      // Keeps the last count; the caller's own transaction will say that the database is away.
    }
  }
}
