/** A map that holds at most `capacity` entries and lets go of the one used longest ago. */
export class Lru<V> {
  private readonly entries = new Map<string, V>();

  constructor(
    private readonly capacity: number,
    /** Called with each value that leaves, for whatever reason. */
    private readonly onLeave: (value: V) => void = () => {},
  ) {}

  get(key: string): V | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.capacity) this.delete(this.entries.keys().next().value as string);
  }

  delete(key: string): void {
    const value = this.entries.get(key);
    if (value === undefined) return;
    this.entries.delete(key);
    this.onLeave(value);
  }

  deleteWhere(matches: (value: V) => boolean): void {
    for (const [key, value] of this.entries) if (matches(value)) this.delete(key);
  }

  clear(): void {
    for (const value of this.entries.values()) this.onLeave(value);
    this.entries.clear();
  }

  values(): Iterable<V> {
    return this.entries.values();
  }
}
