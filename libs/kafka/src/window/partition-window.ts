import type { Progress } from './progress.ts';

export interface WindowLimits {
  /** Largest distance between the oldest unfinished record and the newest held one; bounds the bitmap too. */
  span: number;
  bytes: number;
}
export const WINDOW_LIMITS: WindowLimits = { span: 4_096, bytes: 16 * 1024 * 1024 };

export interface Slot<R> {
  readonly offset: number;
  readonly bytes: number;
  readonly record: R;
  readonly maybeDuplicate: boolean;
}

interface Entry<R> extends Slot<R> {
  done: boolean;
}

export type Offer = 'queued' | 'known' | 'full';

/** A commit to make; confirmed with the same object once the broker has it. */
export interface Snapshot extends Progress {
  readonly version: number;
}

/**
 * The sliding window over one partition, as pure arithmetic: which records are held, handed out, done, and what may be
 * committed. Offsets may have holes (compaction); a hole is done.
 *
 * With `claims`, a record may be handed out only when a commit saying so is confirmed: after a crash exactly what may
 * have been in flight comes again, marked, and everything else comes unmarked or not at all.
 */
export class PartitionWindow<R> {
  /** The next offset wanted from the broker; `null` until the first batch where the group never committed. */
  next: number | null;
  /** Set when the partition is lost: nothing that happens here counts any more. */
  dropped = false;
  private base: number;
  private entries: Entry<R>[] = [];
  private head = 0;
  /** Indices into `entries`: before the first all are handed out, before the second all are claimed. */
  private nextToTake = 0;
  private nextToClaim = 0;
  private claimedUpTo: number;
  private confirmedUpTo: number;
  private takenUpTo: number;
  private heldBytes = 0;
  private unfinished = 0;
  private version = 0;
  private confirmedVersion = 0;
  private readonly restoredDone: Set<number>;
  private readonly restoredUpTo: number;

  constructor(
    restored: Progress | null,
    private readonly writer: string,
    private readonly claims: boolean,
    private readonly limits: WindowLimits = WINDOW_LIMITS,
  ) {
    this.next = restored?.offset ?? null;
    this.base = restored?.offset ?? 0;
    this.restoredUpTo = restored?.dispatchedUpTo ?? 0;
    this.restoredDone = new Set(restored?.done);
    this.takenUpTo = this.base;
    // What an earlier holder claimed is in the commit already: it needs no new claim.
    this.claimedUpTo = this.confirmedUpTo = Math.max(this.base, this.restoredUpTo);
  }

  /** Records held that are not done. */
  get size(): number {
    return this.unfinished;
  }
  /** Time to stop fetching. */
  get high(): boolean {
    return this.span >= this.limits.span * 0.75 || this.heldBytes >= this.limits.bytes * 0.75;
  }
  /** Time to fetch again. */
  get low(): boolean {
    return this.span <= this.limits.span / 2 && this.heldBytes <= this.limits.bytes / 2;
  }
  get dirty(): boolean {
    return this.version !== this.confirmedVersion;
  }
  private get span(): number {
    return (this.next ?? this.base) - this.base;
  }

  /** Takes in a fetched record. `known`: held or done already (a rejoin fetches again). `full`: fetch it again later. */
  offer(offset: number, bytes: number, record: R): Offer {
    if (this.next === null) this.skipTo(offset);
    if (offset < (this.next ?? 0)) return 'known';
    const empty = this.unfinished === 0;
    if (!empty && (offset - this.base >= this.limits.span || this.heldBytes + bytes > this.limits.bytes)) return 'full';
    this.next = offset + 1;
    if (this.restoredDone.has(offset)) {
      this.advance();
      return 'known';
    }
    if (empty) this.base = offset;
    this.entries.push({ offset, bytes, record, maybeDuplicate: offset < this.restoredUpTo, done: false });
    if (offset < this.claimedUpTo) this.nextToClaim = this.entries.length;
    this.heldBytes += bytes;
    this.unfinished += 1;
    return 'queued';
  }

  /** The broker has nothing up to here (retention, compaction): a hole counts as done. */
  skipTo(offset: number): void {
    if (this.next !== null && offset <= this.next) return;
    if (this.next === null) this.base = this.claimedUpTo = this.confirmedUpTo = this.takenUpTo = offset;
    this.next = offset;
    this.advance();
  }

  /** Marks the next unclaimed record as about to be handed out. False when there is none. */
  claim(): boolean {
    const entry = this.entries[this.nextToClaim];
    if (!entry) return false;
    this.nextToClaim += 1;
    this.claimedUpTo = entry.offset + 1;
    this.version += 1;
    return true;
  }

  /** Records claimed and not handed out yet. */
  get claimedAhead(): number {
    return Math.max(0, this.nextToClaim - this.nextToTake);
  }

  /** The next record that may be handed out now. */
  take(): Slot<R> | undefined {
    const entry = this.entries[this.nextToTake];
    if (!entry || (this.claims && entry.offset >= this.confirmedUpTo)) return undefined;
    this.nextToTake += 1;
    this.nextToClaim = Math.max(this.nextToClaim, this.nextToTake);
    this.takenUpTo = entry.offset + 1;
    return entry;
  }

  /** The record's effect is durable. */
  complete(slot: Slot<R>): void {
    const entry = slot as Entry<R>;
    if (entry.done) return;
    entry.done = true;
    this.unfinished -= 1;
    this.heldBytes -= entry.bytes;
    this.version += 1;
    this.advance();
  }

  /** Gives up claims that were not used, so that a stop in good order marks nothing falsely. */
  releaseClaims(): void {
    if (this.claimedUpTo === this.takenUpTo) return;
    this.claimedUpTo = this.takenUpTo;
    this.nextToClaim = this.nextToTake;
    this.version += 1;
  }

  snapshot(): Snapshot {
    const done = [...this.restoredDone];
    for (let at = this.head; at < this.entries.length; at += 1) {
      const entry = this.entries[at];
      if (entry?.done) done.push(entry.offset);
    }
    const upTo = this.claims ? this.claimedUpTo : this.takenUpTo;
    return {
      offset: this.base,
      // Above the offset what an earlier holder handed out stays in doubt until it is done.
      dispatchedUpTo: Math.max(upTo, this.restoredUpTo, this.base),
      done,
      writer: this.writer,
      version: this.version,
    };
  }

  confirm(snapshot: Snapshot): void {
    this.confirmedVersion = snapshot.version;
    this.confirmedUpTo = Math.max(this.confirmedUpTo, snapshot.dispatchedUpTo);
  }

  private advance(): void {
    while (this.head < this.entries.length && this.entries[this.head]?.done) this.head += 1;
    const first = this.entries[this.head];
    const base = first ? first.offset : (this.next ?? this.base);
    if (base > this.base) {
      this.base = base;
      this.version += 1;
      for (const offset of this.restoredDone) if (offset < base) this.restoredDone.delete(offset);
    }
    if (this.head >= 1_024 || this.head === this.entries.length) {
      this.entries.splice(0, this.head);
      this.nextToTake -= this.head;
      this.nextToClaim -= this.head;
      this.head = 0;
    }
  }
}
