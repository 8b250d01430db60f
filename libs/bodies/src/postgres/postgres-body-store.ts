import { RETENTION } from '@lethe/contracts';
import { Batcher } from '@lethe/service';
import { ForgottenError } from '@lethe/vault';
import { Pool } from 'pg';
import { BodyStore, type BodyRef, type Oldest, type SealedBody, type Transaction } from '../store/body-store.ts';
import { dropDue, makeAhead, oldestBodies } from './partitions.ts';

export interface PostgresBodyStoreOptions {
  /** PostgreSQL URL of the database of `ingest`: as its owner to insert, as `delivery` to read and shred. */
  url: string;
  /** Connections. Default 4. */
  connections?: number;
  /** First segments (≤ 1 MiB each) read by one query. Default 32. */
  batch?: number;
  /** How long one query may take, in milliseconds. Default 10,000. */
  timeoutMs?: number;
  /** Readers waiting at most; more are refused with OverloadedError. Default 10,000. */
  queued?: number;
}

interface SegmentRow {
  id: string;
  segments: number;
  bytes: Buffer;
}

/** PostgreSQL takes 65,535 parameters in a statement; each row has five. */
const MAX_ROWS = 10_000;
/** A statement of up to so many rows is prepared. */
const PREPARED_ROWS = 64;
/** Of one statement: `pg` writes all of its parameters into one buffer, which is copied to a larger one as it grows. */
const MAX_BYTES = 8 * 1_048_576;

/** Bodies in a schema of ingest's database, partitioned by drop time: in the transaction of their messages itself. */
export class PostgresBodyStore extends BodyStore {
  readonly longestMs = { body: RETENTION.body.limitMs, instructed: RETENTION.instructed.limitMs };
  private readonly pool: Pool;
  private readonly firsts: Batcher<BodyRef, SegmentRow>;
  private readonly known = new Set<number>();

  constructor({ url, connections = 4, batch = 32, queued = 10_000, timeoutMs = 10_000 }: PostgresBodyStoreOptions) {
    super();
    this.pool = new Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      application_name: 'lethe-bodies',
    });
    this.pool.on('error', () => {});
    this.firsts = new Batcher({ maxItems: batch, maxQueued: queued, lingerMs: 0, concurrency: connections }, (refs) =>
      this.readFirsts(refs),
    );
  }

  /** Partitions are made ahead; here for a process that outlives those. In transactions of their own: no lock is held. */
  async prepare(bodies: readonly SealedBody[]): Promise<void> {
    for (const dropAt of new Set(bodies.map((body) => body.dropAt.getTime()))) await this.ensurePartition(dropAt);
  }

  async insertMany(client: Transaction, bodies: readonly SealedBody[]): Promise<void> {
    const rows = bodies.flatMap(({ messageId, dropAt, sealed }) =>
      sealed.map((bytes, seq) => [dropAt, messageId, seq, sealed.length, bytes] as const),
    );
    for (const part of portions(rows)) {
      // Prepared for usual numbers, as parsing it takes longer than running it.
      const name = part.length <= PREPARED_ROWS ? `insert-bodies-${part.length}` : undefined;
      const places = part.map(
        (_, row) => `($${row * 5 + 1}, $${row * 5 + 2}, $${row * 5 + 3}, $${row * 5 + 4}, $${row * 5 + 5})`,
      );
      await client.query({
        ...(name && { name }),
        text: `insert into bodies.body (drop_at, message_id, seq, segments, bytes) values ${places.join(', ')}`,
        values: part.flat(),
      });
    }
  }

  /** The transaction did it. */
  async discard(): Promise<void> {}

  /** Concurrent readers share a query. */
  async read(messageId: string, dropAt: Date): Promise<Buffer> {
    const first = await this.firsts.add({ messageId, dropAt });
    if (first.segments === 1) return first.bytes;
    const { rows } = await this.pool.query<{ bytes: Buffer }>(
      'select bytes from bodies.body where drop_at = $1 and message_id = $2 and seq > 0 order by seq',
      [dropAt, messageId],
    );
    if (rows.length !== first.segments - 1) throw new ForgottenError('message');
    return Buffer.concat([first.bytes, ...rows.map(({ bytes }) => bytes)]);
  }

  /** ForgottenError also if it goes while it is read. */
  async *stream(messageId: string, dropAt: Date): AsyncGenerator<Buffer> {
    const first = await this.firsts.add({ messageId, dropAt });
    yield first.bytes;
    for (let seq = 1; seq < first.segments; seq += 1) {
      const { rows } = await this.pool.query<{ bytes: Buffer }>(
        'select bytes from bodies.body where drop_at = $1 and message_id = $2 and seq = $3',
        [dropAt, messageId, seq],
      );
      if (rows[0] === undefined) throw new ForgottenError('message');
      yield rows[0].bytes;
    }
  }

  shredMany(client: Transaction, refs: readonly BodyRef[]): Promise<number> {
    return tally(
      client,
      refs,
      `with gone as (delete from bodies.body where drop_at = $1 and message_id = any($2::uuid[]) returning seq)
       select count(*)::int as bodies from gone where seq = 0`,
    );
  }

  count(refs: readonly BodyRef[]): Promise<number> {
    return tally(
      this.pool,
      refs,
      'select count(*)::int as bodies from bodies.body where drop_at = $1 and message_id = any($2::uuid[]) and seq = 0',
    );
  }

  makeAhead(): Promise<void> {
    return makeAhead(this.pool);
  }

  /** Partition by partition; one that is being read goes next time. */
  dropDue(): Promise<number> {
    return dropDue(this.pool);
  }

  /** Bodies are there exactly if their messages are. */
  async dropOrphans(): Promise<number> {
    return 0;
  }

  oldest(): Promise<Oldest> {
    return oldestBodies(this.pool);
  }

  async answers(): Promise<boolean> {
    try {
      // Of no partition: the right to read is the table's.
      await this.pool.query(`select from bodies.body where drop_at = 'epoch'`);
      return true;
    } catch {
      return false;
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async ensurePartition(dropAt: number): Promise<void> {
    if (this.known.has(dropAt)) return;
    const { bucketMs } = RETENTION.body;
    for (const starts of [dropAt, dropAt + bucketMs]) {
      await this.pool.query('select bodies.ensure_partition($1, make_interval(secs => $2))', [
        new Date(starts),
        bucketMs / 1000,
      ]);
    }
    if (this.known.size > 100) this.known.clear();
    this.known.add(dropAt);
  }

  private async readFirsts(refs: BodyRef[]): Promise<(SegmentRow | Error)[]> {
    // By drop time, so that only its partition is planned for and looked at, of hundreds.
    const byDropTime = Map.groupBy(refs, ({ dropAt }) => dropAt.getTime());
    const answers = await Promise.all(
      [...byDropTime].map(([dropAt, those]) =>
        this.pool.query<SegmentRow>(
          `select message_id::text as id, segments, bytes from bodies.body
           where drop_at = $1 and message_id = any($2::uuid[]) and seq = 0 and drop_at > now()`,
          [new Date(dropAt), those.map(({ messageId }) => messageId)],
        ),
      ),
    );
    const found = new Map(answers.flatMap(({ rows }) => rows).map((row) => [row.id, row]));
    return refs.map(({ messageId }) => found.get(messageId) ?? new ForgottenError('message'));
  }
}

/** How many bodies, asked by drop time, so that only its partition is looked at. */
async function tally(client: Transaction, refs: readonly BodyRef[], text: string): Promise<number> {
  let bodies = 0;
  for (const [dropAt, those] of Map.groupBy(refs, (ref) => ref.dropAt.getTime())) {
    const ids = those.map(({ messageId }) => messageId);
    const { rows } = await client.query<{ bodies: number }>(text, [new Date(dropAt), ids]);
    bodies += rows[0]?.bodies ?? 0;
  }
  return bodies;
}

function* portions<R extends readonly [...unknown[], Buffer]>(rows: R[]): Generator<R[]> {
  let portion: R[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = (row.at(-1) as Buffer).length;
    if (portion.length === MAX_ROWS || (portion.length > 0 && bytes + size > MAX_BYTES)) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(row);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}
