import type { Pool } from 'pg';
import { inTransaction } from '@lethe/database';
import type { Log } from '@lethe/service';
import { PublishUncertainError } from '../errors.ts';
import { markMaybeDuplicate } from '../records/encode.ts';
import type { EncodedRecord } from '../records/record.ts';
import type { Outbox } from './outbox.ts';

export interface RelayOptions {
  /** Rows younger than this belong to the request that wrote them. */
  olderThanMs?: number;
  everyMs?: number;
  batch?: number;
}

const PUBLISH_WAIT_MS = 5_000;
/** Published with one go, at most: a group of a message to 1,000 has 2,000, and the publisher's queue has an end. */
const MOST_RECORDS = 4_000;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Publishes what a crash or an outage left in the outbox. Whether a first attempt got through is unknown, so everything it
 * publishes is marked `maybeDuplicate`. Several replicas share the rows (`SKIP LOCKED`).
 */
export class OutboxRelay {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private pause: number;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly pool: Pool,
    private readonly outbox: Outbox,
    private readonly log: Log,
    private readonly options: RelayOptions = {},
  ) {
    this.pause = this.every;
  }

  start(): void {
    this.schedule();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private get every(): number {
    return this.options.everyMs ?? 1_000;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.run();
    }, this.pause);
  }

  private async run(): Promise<void> {
    const { batch = 200 } = this.options;
    try {
      while (!this.stopped && (await this.relay(batch)) > 0);
      this.pause = this.every;
    } catch (error) {
      this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 2);
      this.log.warn('kafka.outbox-relay-waits', { pauseMs: this.pause, error });
    }
    this.schedule();
  }

  /** Publishes up to `batch` rows and `MOST_RECORDS` records (one row in any case), oldest first; answers how many rows. */
  private relay(batch: number): Promise<number> {
    return inTransaction(this.pool, async (client) => {
      const { rows } = await client.query<{ id: string; records: EncodedRecord[] }>(
        `WITH due AS (
           SELECT id, records FROM outbox
            WHERE created_at < now() - $1 * interval '1 millisecond' AND NOT id = ANY($2::uuid[])
            ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
         ), counted AS (
           SELECT id, records, row_number() OVER by_id AS nth, sum(jsonb_array_length(records)) OVER by_id AS up_to
             FROM due WINDOW by_id AS (ORDER BY id)
         )
         SELECT id, records FROM counted WHERE nth = 1 OR up_to <= $4 ORDER BY id`,
        [this.options.olderThanMs ?? 2_000, this.outbox.ours, batch, MOST_RECORDS],
      );
      if (rows.length === 0) return 0;
      const groups = rows.map(({ id, records }) => ({ id, records: records.map(markMaybeDuplicate) }));
      // A broker that comes back later still gets these: the outbox deletes their rows then, nobody sends them twice.
      if (!(await this.outbox.publishAgain(groups, PUBLISH_WAIT_MS))) throw new PublishUncertainError('the outbox');
      await client.query('DELETE FROM outbox WHERE id = ANY($1::uuid[])', [rows.map(({ id }) => id)]);
      this.log.info('kafka.outbox-relayed', { groups: rows.length });
      return rows.length;
    });
  }
}
