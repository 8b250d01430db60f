import { OverloadedError } from './overloaded-error.ts';

export interface BatcherOptions<T> {
  /** Largest number of items in one call. */
  maxItems: number;
  /** Largest sum of `sizeOf` in one call; one larger item goes alone. */
  maxBytes?: number;
  sizeOf?: (item: T) => number;
  /** How long the first item waits for company, in milliseconds; 0 waits for the current turn only. */
  lingerMs: number;
  /** Who is known to be about to come is waited for, at most `ms`. Of use without `lingerMs` alone, which waits for whoever may come. */
  gather?: { ms: number; more: () => boolean };
  /** Items waiting at most; one more is refused with OverloadedError. */
  maxQueued: number;
  /** Calls under way at once. While all are busy, items gather: batches grow with load. */
  concurrency: number;
}

interface Waiting<T, R> {
  item: T;
  bytes: number;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

/**
 * Collects items of concurrent callers into shared calls. `work` answers one result per item, in
 * order; an `Error` as a result rejects that caller alone, a thrown error all callers of the call.
 */
export class Batcher<T, R> {
  private queue: Waiting<T, R>[] = [];
  private running = 0;
  private timer: NodeJS.Timeout | undefined;
  private turn: NodeJS.Immediate | undefined;
  private idle: (() => void)[] = [];

  constructor(
    private readonly options: BatcherOptions<T>,
    private readonly work: (items: T[]) => Promise<(R | Error)[]>,
  ) {}

  /** Items that wait and are not in a call yet. */
  get queued(): number {
    return this.queue.length;
  }

  add(item: T): Promise<R> {
    if (this.queue.length >= this.options.maxQueued) {
      return Promise.reject(new OverloadedError());
    }
    const bytes = this.options.sizeOf?.(item) ?? 0;
    return new Promise<R>((resolve, reject) => {
      this.queue.push({ item, bytes, resolve, reject });
      this.schedule();
    });
  }

  /** Resolves when everything added so far has its result. */
  drain(): Promise<void> {
    if (this.queue.length === 0 && this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private schedule(): void {
    if (this.running >= this.options.concurrency) return;
    const { maxItems, lingerMs, gather } = this.options;
    if (this.queue.length >= maxItems) {
      this.flush();
    } else if (lingerMs > 0) {
      this.timer ??= setTimeout(() => this.flush(), lingerMs);
    } else {
      this.turn ??= setImmediate(() => {
        this.turn = undefined;
        if (gather?.more()) this.timer ??= setTimeout(() => this.flush(), gather.ms);
        else this.flush();
      });
    }
  }

  private flush(): void {
    clearTimeout(this.timer);
    clearImmediate(this.turn);
    this.timer = this.turn = undefined;
    while (this.queue.length > 0 && this.running < this.options.concurrency) {
      void this.call(this.take());
    }
  }

  private take(): Waiting<T, R>[] {
    const { maxItems, maxBytes = Number.POSITIVE_INFINITY } = this.options;
    let bytes = 0;
    let count = 0;
    for (const waiting of this.queue) {
      bytes += waiting.bytes;
      if (count === maxItems || (count > 0 && bytes > maxBytes)) break;
      count += 1;
    }
    return this.queue.splice(0, count);
  }

  private async call(batch: Waiting<T, R>[]): Promise<void> {
    this.running += 1;
    try {
      const results = await this.work(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new Error(`A batch of ${batch.length} got ${results.length} results`);
      }
      for (const [index, waiting] of batch.entries()) {
        const result = results[index] as R | Error;
        if (result instanceof Error) waiting.reject(result);
        else waiting.resolve(result);
      }
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.running -= 1;
      if (this.queue.length > 0 && this.options.gather) this.schedule();
      else if (this.queue.length > 0) this.flush();
      else if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve();
    }
  }
}
