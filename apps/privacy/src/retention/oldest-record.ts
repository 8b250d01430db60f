/** What Kafka tells of a partition: `low` is the first record that is there, `high` the end. */
export interface PartitionBounds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** How Kafka is asked (ListOffsets): no record is read. */
export interface OffsetSource {
  bounds(): Promise<readonly PartitionBounds[]>;
  /** Per partition the first offset whose record is of `timestamp` or later; the end if there is none. */
  offsetsAt(timestamp: number): Promise<ReadonlyMap<number, number>>;
}

/** A reading is at most so much older than the record is. */
const PRECISE_MS = 1_000;
const TRIES = 3;

/**
 * The timestamp of the topic's oldest record, epoch ms, rounded down; null if it has none. Found by halving the time between
 * `from` and `to`: Kafka tells which record follows a time, and not the time of a record. `from` if it is older than that.
 */
export async function oldestRecord(source: OffsetSource, from: number, to: number): Promise<number | null> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await source.bounds();
    const filled = before.filter(({ low, high }) => high > low);
    if (filled.length === 0) return null;
    const oldest = await halve(source, filled, from, to);
    // What was removed meanwhile would make what is there look older than it is.
    const after = await source.bounds();
    const same = before.every(({ partition, low }) =>
      after.some((now) => now.partition === partition && now.low === low),
    );
    if (same || attempt >= TRIES) return oldest;
  }
}

async function halve(
  source: OffsetSource,
  filled: readonly PartitionBounds[],
  from: number,
  to: number,
): Promise<number> {
  // Nothing is older than `before`; something is older than `after`.
  let [before, after] = [from, to];
  while (after - before > PRECISE_MS) {
    const middle = Math.floor((before + after) / 2);
    const offsets = await source.offsetsAt(middle);
    if (filled.every(({ partition, low }) => (offsets.get(partition) ?? low) <= low)) before = middle;
    else after = middle;
  }
  return before;
}
