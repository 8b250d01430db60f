interface Entry<V> {
  readonly key: string;
  readonly value: V;
  before: Entry<V>;
  after: Entry<V>;
}

/**
 * A map that holds at most `capacity` entries and lets go of the one used longest ago. The order of use is a ring of its own: to put an
 * entry last in the map with each use takes longer than to look it up.
 */
export class Lru<V> {
  private readonly entries = new Map<string, Entry<V>>();
  /** Used longest ago, if there is any; before it stands the one used last. */
  private oldest: Entry<V> | undefined;

  constructor(
    private readonly capacity: number,
    /** Called with each value that leaves, for whatever reason. */
    private readonly onLeave: (value: V) => void = () => {},
  ) {}

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (entry === this.oldest) this.oldest = entry.after;
    else if (entry !== this.oldest?.before) {
      this.unlink(entry);
      this.link(entry);
    }
    return entry.value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    const entry = { key, value } as Entry<V>;
    this.entries.set(key, entry);
    this.link(entry);
    if (this.entries.size > this.capacity && this.oldest) this.delete(this.oldest.key);
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.unlink(entry);
    this.onLeave(entry.value);
  }

  deleteWhere(matches: (value: V) => boolean): void {
    for (const [key, { value }] of this.entries) if (matches(value)) this.delete(key);
  }

  clear(): void {
    for (const { value } of this.entries.values()) this.onLeave(value);
    this.entries.clear();
    this.oldest = undefined;
  }

  *values(): Iterable<V> {
    for (const { value } of this.entries.values()) yield value;
  }

  /** As the one used last. */
  private link(entry: Entry<V>): void {
    const after = (this.oldest ??= entry);
    const before = after === entry ? entry : after.before;
    entry.before = before;
    entry.after = after;
    before.after = entry;
    after.before = entry;
  }

  private unlink(entry: Entry<V>): void {
    if (entry === this.oldest) this.oldest = entry.after === entry ? undefined : entry.after;
    entry.before.after = entry.after;
    entry.after.before = entry.before;
  }
}
