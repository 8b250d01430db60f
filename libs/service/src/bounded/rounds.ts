export interface RoundsOptions {
  /** Between the end of a round and the next. */
  everyMs: number;
  work: () => Promise<void>;
  /** A round ended with it; the next one comes all the same. */
  failed: (error: unknown) => void;
}

/** The same work again and again: at once when it starts, and never twice at a time. */
export class Rounds {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(private readonly options: RoundsOptions) {}

  /** Long work looks at it between two of its steps. */
  get stopped(): boolean {
    return this.ended;
  }

  start(): void {
    this.running = this.round();
  }

  /** Resolves when the round that is under way has ended; none follows. */
  async stop(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async round(): Promise<void> {
    const { everyMs, work, failed } = this.options;
    try {
      await work();
    } catch (error) {
      failed(error);
    }
    if (this.ended) return;
    this.timer = setTimeout(() => this.start(), everyMs);
  }
}
