import { ForgottenError } from '@lethe/vault';
import {
  BodyStore,
  type BodyRef,
  type Known,
  type Oldest,
  type SealedBody,
  type Transaction,
} from '../store/body-store.ts';
import { acceptedAt, BODIES, dropTimeOf, INSTRUCTED, keyOf, messageOf } from './body-keys.ts';
import { BucketError } from './bucket-error.ts';
import { LONGEST_DAYS, unfitness } from './bucket-rules.ts';
import { Bucket, type BucketOptions } from './bucket.ts';
import { OrphanSweep } from './orphan.sweep.ts';

export interface S3BodyStoreOptions extends BucketOptions {
  /** A body without a message is an orphan once it is so old, in milliseconds. */
  orphanMs: number;
}

const DAY = 86_400_000;
/** Octets read at once from what is streamed. */
const PART = 1_048_576;
/** How long the bucket's rules are believed. */
const FIT_MS = 600_000;

/**
 * Bodies as objects of a bucket, one each. They are put there before the transaction of their messages: what is acknowledged is there,
 * and what is not acknowledged goes again (`discard`, `dropOrphans`).
 */
export class S3BodyStore extends BodyStore {
  /** The bucket's own rules count whole days, and one more. */
  readonly longestMs = { body: LONGEST_DAYS[BODIES] * DAY, instructed: LONGEST_DAYS[INSTRUCTED] * DAY };
  private readonly bucket: Bucket;
  private readonly orphans: OrphanSweep;
  private readonly commitMs: number;
  /** When each was put, by the object that said so. */
  private readonly prepared = new WeakMap<SealedBody, number>();
  private fit: { since: number; answer: Promise<void> } | undefined;
  private unfit = false;

  constructor({ orphanMs, ...options }: S3BodyStoreOptions) {
    super();
    this.bucket = new Bucket(options);
    this.orphans = new OrphanSweep(this.bucket, orphanMs);
    this.commitMs = orphanMs / 6;
  }

  async prepare(bodies: readonly SealedBody[]): Promise<void> {
    await this.fitness();
    const put = bodies.map(async (body) => {
      this.prepared.set(body, Date.now());
      await this.bucket.put(keyOf(body), () => whole(body.sealed));
    });
    const failed = (await Promise.allSettled(put)).find(({ status }) => status === 'rejected');
    if (failed === undefined) return;
    await this.discard(bodies);
    throw (failed as PromiseRejectedResult).reason;
  }

  /** The last word before they are committed: who sweeps orphans must not have taken them for such. */
  async insertMany(_: Transaction, bodies: readonly SealedBody[]): Promise<void> {
    for (const body of bodies) {
      const since = this.prepared.get(body);
      if (since === undefined) throw new Error('A body has to be prepared before its message is committed');
      if (Date.now() - since > this.commitMs) throw new BucketError(0, 'TooLateToCommit');
    }
  }

  /** What cannot be deleted now is an orphan. */
  async discard(refs: readonly BodyRef[]): Promise<void> {
    await this.bucket.delete(refs.map(keyOf)).catch(() => {});
  }

  async read(messageId: string, dropAt: Date): Promise<Buffer> {
    const { octets } = await this.part({ messageId, dropAt });
    return octets;
  }

  /** A request for each part, so that nobody who reads slowly holds one. ForgottenError also if it goes while it is read. */
  async *stream(messageId: string, dropAt: Date): AsyncGenerator<Buffer> {
    const ref = { messageId, dropAt };
    for (let from = 0, size = 1; from < size; from += PART) {
      const part = await this.part(ref, { from, to: from + PART - 1 });
      yield part.octets;
      if (part.octets.length > PART) return;
      size = part.size;
    }
  }

  /** At once, whatever becomes of the transaction: who removes their messages is not content before it has. */
  async shredMany(_: Transaction, refs: readonly BodyRef[]): Promise<number> {
    const bodies = await this.count(refs);
    await this.bucket.delete(refs.map(keyOf));
    return bodies;
  }

  async count(refs: readonly BodyRef[]): Promise<number> {
    const found = await Promise.all(refs.map((ref) => this.bucket.get(keyOf(ref), { from: 0, to: 0 })));
    return found.filter((body) => body !== undefined).length;
  }

  /** @throws BucketError while the bucket is not fit for bodies: then none is put there. */
  makeAhead(): Promise<void> {
    this.fit = undefined;
    return this.fitness();
  }

  async dropDue(): Promise<number> {
    const folders = [...(await this.bucket.folders(BODIES)), ...(await this.bucket.folders(INSTRUCTED))];
    let dropped = 0;
    for (const folder of folders) {
      const dropAt = dropTimeOf(folder);
      if (dropAt !== undefined && dropAt.getTime() <= Date.now() && (await this.empty(folder))) dropped += 1;
    }
    return dropped;
  }

  async dropOrphans(known: Known): Promise<number> {
    return this.orphans.sweep(known);
  }

  async oldest(): Promise<Oldest> {
    const [body, instructed] = await Promise.all([this.oldestBelow(BODIES), this.oldestBelow(INSTRUCTED)]);
    return { body, instructed };
  }

  async answers(): Promise<boolean> {
    if (this.unfit) return false;
    return this.bucket.exists().catch(() => false);
  }

  async close(): Promise<void> {
    this.bucket.close();
  }

  private async part(ref: BodyRef, range?: { from: number; to: number }): Promise<{ octets: Buffer; size: number }> {
    const part = ref.dropAt.getTime() <= Date.now() ? undefined : await this.bucket.get(keyOf(ref), range);
    if (part === undefined) throw new ForgottenError('message');
    return part;
  }

  private async oldestBelow(prefix: string): Promise<Date | null> {
    const folders = await this.bucket.folders(prefix);
    const firsts = await Promise.all(folders.map((folder) => this.bucket.list(folder, { most: 1 })));
    const times = firsts.flat().flatMap(({ key }) => acceptedAt(messageOf(key) ?? '')?.getTime() ?? []);
    return times.length === 0 ? null : new Date(Math.min(...times));
  }

  private async empty(folder: string): Promise<boolean> {
    let any = false;
    for (;;) {
      const keys = (await this.bucket.list(folder)).map(({ key }) => key);
      if (keys.length === 0) return any;
      await this.bucket.delete(keys);
      any = true;
    }
  }

  /** One question for all who ask at the same time. A bucket that could not be asked is asked again by the next. */
  private fitness(): Promise<void> {
    if (this.fit === undefined || Date.now() - this.fit.since > FIT_MS) {
      this.fit = { since: Date.now(), answer: this.ask() };
    }
    return this.fit.answer;
  }

  private async ask(): Promise<void> {
    try {
      const unfit = await unfitness(this.bucket);
      this.unfit = unfit !== undefined;
      if (unfit) throw new BucketError(0, unfit.reason);
    } catch (error) {
      this.fit = undefined;
      throw error;
    }
  }
}

const whole = (sealed: Buffer[]): Buffer => (sealed.length === 1 ? (sealed[0] as Buffer) : Buffer.concat(sealed));
