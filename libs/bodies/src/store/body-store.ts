import { RETENTION } from '@lethe/contracts';
import { Batcher } from '@lethe/service';
import { ForgottenError } from '@lethe/vault';
import { Pool } from 'pg';
import type { ClientBase } from 'pg';
import { dropDue, makeAhead, oldestBody } from './partitions.ts';

/** A message's sealed body. */
export interface SealedBody {
  messageId: string;
  /** A bucket boundary: `dropTime`. */
  dropAt: Date;
  /** What `sealBody` answered. */
  sealed: Buffer[];
}

export interface BodyRef {
  messageId: string;
  dropAt: Date;
}

export interface BodyStoreOptions {
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
const MAX_BYTES = 64 * 1_048_576;

/** Sealed bodies by message and drop time. It never sees a key or a plaintext. */
export class BodyStore {
  private readonly pool: Pool;
  private readonly firsts: Batcher<BodyRef, SegmentRow>;
  private readonly known = new Set<number>();

  constructor({ url, connections = 4, batch = 32, queued = 10_000, timeoutMs = 10_000 }: BodyStoreOptions) {
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

  /** Inserts inside the caller's transaction: a body is there exactly if its message is. */
  async insertMany(client: Pick<ClientBase, 'query'>, bodies: SealedBody[]): Promise<void> {
    for (const dropAt of new Set(bodies.map((body) => body.dropAt.getTime()))) await this.ensurePartition(dropAt);
    const rows = bodies.flatMap(({ messageId, dropAt, sealed }) =>
      sealed.map((bytes, seq) => [dropAt, messageId, seq, sealed.length, bytes] as const),
    );
    for (const part of portions(rows)) {
      const places = part.map(
        (_, row) => `($${row * 5 + 1}, $${row * 5 + 2}, $${row * 5 + 3}, $${row * 5 + 4}, $${row * 5 + 5})`,
      );
      await client.query(
        `insert into bodies.body (drop_at, message_id, seq, segments, bytes) values ${places.join(', ')}`,
        part.flat(),
      );
    }
  }

  /** The whole sealed body; ForgottenError if it is gone. Concurrent readers share a query. */
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

  /** Segment by segment, for what is large. ForgottenError if it is gone, also if it goes while it is read. */
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

  /** Removes a body before its time. The content key is destroyed separately: it is what makes every copy unreadable. */
  async shred(messageId: string, dropAt: Date): Promise<void> {
    await this.pool.query('delete from bodies.body where drop_at = $1 and message_id = $2', [dropAt, messageId]);
  }

  /** The same inside the caller's transaction; answers how many bodies there were. */
  async shredMany(client: Pick<ClientBase, 'query'>, refs: readonly BodyRef[]): Promise<number> {
    const byDropTime = Map.groupBy(refs, ({ dropAt }) => dropAt.getTime());
    let bodies = 0;
    // By drop time, so that only its partition is looked at.
    for (const [dropAt, those] of byDropTime) {
      const { rows } = await client.query<{ bodies: number }>(
        `with gone as (delete from bodies.body where drop_at = $1 and message_id = any($2::uuid[]) returning seq)
         select count(*)::int as bodies from gone where seq = 0`,
        [new Date(dropAt), those.map(({ messageId }) => messageId)],
      );
      bodies += rows[0]?.bodies ?? 0;
    }
    return bodies;
  }

  /** For the owner: partitions for what is about to be accepted. */
  makeAhead(): Promise<void> {
    return makeAhead(this.pool);
  }

  /** For the owner: drops what is past its time; answers how many partitions. One that is being read goes next time. */
  dropDue(): Promise<number> {
    return dropDue(this.pool);
  }

  /** When the oldest body was accepted; null without any. */
  oldest(): Promise<Date | null> {
    return oldestBody(this.pool);
  }

  /** Whether it can be read this moment: for readiness. */
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

  /** Partitions are made by each migration; here for a process that outlives them. In its own transaction: no lock is held. */
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
