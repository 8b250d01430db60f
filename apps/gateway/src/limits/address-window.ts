import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { networkOf } from '@lethe/service';
import { BoundedMap } from './bounded-map.ts';

interface Counted {
  count: number;
  until: number;
}

/**
 * Counts something per client address (of IPv6, per /64) within a window. Addresses are personal: kept as a hash under a key that dies with the
 * process, and dropped after the window.
 */
export class AddressWindow {
  private readonly key = createSecretKey(randomBytes(32));
  private readonly counts: BoundedMap<string, Counted>;

  constructor(
    private readonly limit: number,
    private readonly windowMs: number,
    capacity: number,
  ) {
    this.counts = new BoundedMap(capacity);
  }

  /** Counts one more. Answers the seconds to wait if there were too many, else undefined. */
  record(address: string, now: number): number | undefined {
    this.expire(now);
    const id = createHmac('sha256', this.key).update(networkOf(address)).digest('base64url');
    const known = this.counts.get(id);
    if (!known) {
      this.counts.set(id, { count: 1, until: now + this.windowMs });
      return undefined;
    }
    known.count += 1;
    return known.count > this.limit ? Math.ceil((known.until - now) / 1_000) : undefined;
  }

  /** Entries stand in the order of their end, since all windows are of one length. */
  private expire(now: number): void {
    for (const [id, { until }] of this.counts) {
      if (until > now) return;
      this.counts.delete(id);
    }
  }
}
