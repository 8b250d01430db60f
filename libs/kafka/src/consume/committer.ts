import { encodeProgress } from '../window/progress.ts';
import type { PartitionWindow, Snapshot } from '../window/partition-window.ts';

export interface PartitionCommit {
  partition: number;
  offset: string;
  metadata: string;
}

export interface CommitSource {
  windows(): Iterable<readonly [number, PartitionWindow<unknown>]>;
  /**
   * Commits with the generation that holds when it is called. `undefined` while there is none. It must not retry by
   * itself: a commit repeated after a rejoin would carry the new generation and pass the broker's check.
   */
  commit(partitions: PartitionCommit[]): Promise<void> | undefined;
  /** After a commit is durable: claimed records may go. */
  committed(): void;
}

const RETRY_MS = 100;

/** One commit at a time for all partitions; what changes meanwhile goes with the next. */
export class Committer {
  private timer: NodeJS.Timeout | undefined;
  private soon = false;
  private again = false;
  private underWay: Promise<void> | undefined;

  constructor(
    private readonly source: CommitSource,
    /** How long finished records may wait for their commit. */
    private readonly delayMs: number,
  ) {}

  /** Something changed. `urgent`: a record waits for its claim. */
  request(urgent: boolean): void {
    if (urgent) {
      this.again = this.underWay !== undefined;
      if (this.soon || this.underWay) return;
      this.soon = true;
      // Always from a fresh macrotask: between a new generation and its GROUP_JOIN event lie microtasks only, so
      // ownership and generation are never of different joins here.
      setImmediate(() => {
        this.soon = false;
        void this.run();
      });
    } else {
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        this.request(true);
      }, this.delayMs);
    }
  }

  /** Commits all there is; for stops. Rejects when the broker does not take it. */
  async flush(): Promise<void> {
    await this.underWay;
    await new Promise((resolve) => setImmediate(resolve));
    const work = this.collect();
    if (work.length > 0) await this.commit(work);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async run(): Promise<void> {
    if (this.underWay) return;
    const work = this.collect();
    if (work.length === 0) return;
    this.again = false;
    let failed = false;
    this.underWay = this.commit(work).catch(() => {
      failed = true;
    });
    await this.underWay;
    this.underWay = undefined;
    if (failed) {
      // A rebalance, or the broker is away: a later snapshot says it again.
      setTimeout(() => this.request(true), RETRY_MS).unref();
      return;
    }
    this.source.committed();
    if (this.anyDirty()) this.request(this.again);
  }

  private collect(): { partition: number; window: PartitionWindow<unknown>; snapshot: Snapshot }[] {
    const work = [];
    for (const [partition, window] of this.source.windows()) {
      if (window.dirty) work.push({ partition, window, snapshot: window.snapshot() });
    }
    return work;
  }

  private anyDirty(): boolean {
    for (const [, window] of this.source.windows()) if (window.dirty) return true;
    return false;
  }

  private async commit(work: ReturnType<Committer['collect']>): Promise<void> {
    const call = this.source.commit(
      work.map(({ partition, snapshot }) => ({
        partition,
        offset: String(snapshot.offset),
        metadata: encodeProgress(snapshot),
      })),
    );
    if (!call) throw new Error('no generation yet');
    await call;
    for (const { window, snapshot } of work) window.confirm(snapshot);
  }
}
