import type { Topic, ValueOf } from '@lethe/contracts';
import { observeTable } from '../metrics.ts';

export type TableChange<T extends Topic> = (
  key: string,
  now: ValueOf<T> | undefined,
  before: ValueOf<T> | undefined,
) => void;

/** What the reader of the topic tells a table about itself. */
export interface TableSource {
  ready(): boolean;
  fresh(): boolean;
}

/** Another service's state, held in memory from its compacted topic. Ask `fresh` before relying on what is not there. */
export class LocalTable<T extends Topic> {
  private readonly rows = new Map<string, ValueOf<T>>();
  private readonly listeners: TableChange<T>[] = [];
  private source: TableSource = { ready: () => false, fresh: () => false };

  constructor(readonly topic: T) {
    observeTable(topic.name, () => this.rows.size);
  }

  get(key: string): ValueOf<T> | undefined {
    return this.rows.get(key);
  }

  values(): IterableIterator<ValueOf<T>> {
    return this.rows.values();
  }

  get size(): number {
    return this.rows.size;
  }

  /** Caught up to where the topic ended when this process started. */
  get ready(): boolean {
    return this.source.ready();
  }

  /** Ready, and the owner was alive within the last 5 s. Otherwise fail closed (design §3). */
  get fresh(): boolean {
    return this.ready && this.source.fresh();
  }

  /** Called after each change, in the topic's order. */
  onChange(listener: TableChange<T>): void {
    this.listeners.push(listener);
  }

  /** Finds rows by something else than the key; `keysOf` gives the index keys of a row. */
  index(keysOf: (value: ValueOf<T>) => readonly string[]): TableIndex<T> {
    const index = new TableIndex<T>(keysOf);
    for (const [key, value] of this.rows) index.changed(key, value, undefined);
    this.listeners.unshift((key, now, before) => index.changed(key, now, before));
    return index;
  }

  /** For the reader alone. */
  attach(source: TableSource): void {
    this.source = source;
  }

  /** For the reader alone: a new value, or `null` for a tombstone. */
  apply(key: string, value: ValueOf<T> | null): void {
    const before = this.rows.get(key);
    if (value === null) this.rows.delete(key);
    else this.rows.set(key, value);
    for (const listener of this.listeners) listener(key, value ?? undefined, before);
  }
}

/** Rows by an index key. Where several rows share one, the last written counts. */
export class TableIndex<T extends Topic> {
  private readonly rows = new Map<string, { key: string; value: ValueOf<T> }>();

  constructor(private readonly keysOf: (value: ValueOf<T>) => readonly string[]) {}

  get(indexKey: string): ValueOf<T> | undefined {
    return this.rows.get(indexKey)?.value;
  }

  changed(key: string, now: ValueOf<T> | undefined, before: ValueOf<T> | undefined): void {
    if (before !== undefined) {
      for (const indexKey of this.keysOf(before)) if (this.rows.get(indexKey)?.key === key) this.rows.delete(indexKey);
    }
    if (now !== undefined) for (const indexKey of this.keysOf(now)) this.rows.set(indexKey, { key, value: now });
  }
}
