import { FRESH_WITHIN_MS } from '@lethe/contracts';

/**
 * Whether the owner of a compacted topic was alive within the last seconds, by this process's monotonic clock alone. A
 * heartbeat proves only the time since which it cannot have been written: the last moment the log was known to end at or
 * before its offset. So neither a wrong clock nor a backlog of old heartbeats looks fresh.
 */
export class Freshness {
  private readonly partitions = new Map<number, { end: number; at: number; provenAt: number }>();

  /** The partition's log was seen to end at `end` (its next offset) at `at` (monotonic ms). */
  sawEnd(partition: number, end: number, at: number): void {
    const known = this.partitions.get(partition);
    if (!known) this.partitions.set(partition, { end, at, provenAt: -Infinity });
    else if (end >= known.end) Object.assign(known, { end, at });
  }

  /** A heartbeat at this offset arrived. To be called before `sawEnd` of the same fetch. */
  heartbeat(partition: number, offset: number): void {
    const known = this.partitions.get(partition);
    if (known && offset >= known.end) known.provenAt = Math.max(known.provenAt, known.at);
  }

  fresh(now: number): boolean {
    if (this.partitions.size === 0) return false;
    for (const { provenAt } of this.partitions.values()) if (now - provenAt >= FRESH_WITHIN_MS) return false;
    return true;
  }
}
