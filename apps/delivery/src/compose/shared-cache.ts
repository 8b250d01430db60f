interface Entry<V> {
  value: Promise<V>;
  bytes: number;
  until: number;
}

/**
 * Answers made once for all who ask at the same time or soon after. Bounded by bytes; the one used longest ago goes, and
 * each goes at its time, so that nothing stays in memory because nobody pushed it out. Failures are not kept.
 */
export class SharedCache<V> {
  private readonly entries = new Map<string, Entry<V>>();
  private bytes = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly keepMs: number,
    private readonly sizeOf: (value: V) => number,
  ) {
    setInterval(() => this.sweep(), keepMs).unref();
  }

  get(key: string, make: () => Promise<V>): Promise<V> {
    const known = this.entries.get(key);
    if (known && known.until > Date.now()) {
      this.entries.delete(key);
      this.entries.set(key, known);
      return known.value;
    }
    if (known) this.drop(key, known);
    const entry: Entry<V> = { value: make(), bytes: 0, until: Date.now() + this.keepMs };
    this.entries.set(key, entry);
    entry.value.then(
      (value) => this.weigh(key, entry, this.sizeOf(value)),
      () => this.drop(key, entry),
    );
    return entry.value;
  }

  private weigh(key: string, entry: Entry<V>, bytes: number): void {
    if (this.entries.get(key) !== entry) return;
    entry.bytes = bytes;
    this.bytes += bytes;
    for (const [oldest, old] of this.entries) {
      if (this.bytes <= this.maxBytes) break;
      this.drop(oldest, old);
    }
  }

  private drop(key: string, entry: Entry<V>): void {
    if (this.entries.get(key) !== entry) return;
    this.entries.delete(key);
    this.bytes -= entry.bytes;
  }

  private sweep(): void {
    for (const [key, entry] of this.entries) {
      if (entry.until <= Date.now()) this.drop(key, entry);
    }
  }
}
