/**
 * One run at a time of something that serves all who wait: whoever asks while one is under way shares the next, because the
 * present one may have begun too early for them.
 */
export class SharedRun<T> {
  private running: Promise<T> | undefined;
  private next: Promise<T> | undefined;

  constructor(private readonly work: () => Promise<T>) {}

  /** Settles with the first run that begins after this call. */
  run(): Promise<T> {
    if (this.running === undefined) return this.begin();
    this.next ??= this.running.then(
      () => this.follow(),
      () => this.follow(),
    );
    return this.next;
  }

  private follow(): Promise<T> {
    this.next = undefined;
    return this.begin();
  }

  private begin(): Promise<T> {
    const run = this.work().finally(() => {
      if (this.running === run) this.running = undefined;
    });
    this.running = run;
    return run;
  }
}
