import { OverloadedError } from './overloaded-error.ts';

/** At most `permits` tasks at once, at most `maxQueued` waiting in order of arrival. */
export class Semaphore {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(
    permits: number,
    private readonly maxQueued = Number.POSITIVE_INFINITY,
  ) {
    this.free = permits;
  }

  /** Runs the task when a permit is free. Throws OverloadedError when too many wait already. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await this.wait();
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }

  private wait(): Promise<void> {
    if (this.waiting.length >= this.maxQueued) throw new OverloadedError();
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
