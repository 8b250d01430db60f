import { createHmac, randomBytes } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';

interface Failures {
  count: number;
  until: number;
}

/**
 * Counts refused credentials per client address. Only further *refusals* turn into 429: a right key behind the same
 * address keeps working, so nobody can lock a customer out, and 256-bit keys need no other protection from guessing.
 * Addresses are personal: kept as a hash under a key that dies with the process, and dropped after the window.
 */
export class FailedLogins {
  private readonly key = randomBytes(32);
  private readonly failures: BoundedMap<string, Failures>;

  constructor(
    private readonly limit: number,
    private readonly windowMs: number,
    capacity: number,
  ) {
    this.failures = new BoundedMap(capacity);
  }

  /** Records a refusal. Answers the seconds to wait if there were too many, else undefined. */
  record(address: string, now: number): number | undefined {
    this.expire(now);
    const id = createHmac('sha256', this.key).update(address).digest('base64url');
    const known = this.failures.get(id);
    if (!known) {
      this.failures.set(id, { count: 1, until: now + this.windowMs });
      return undefined;
    }
    known.count += 1;
    return known.count > this.limit ? Math.ceil((known.until - now) / 1_000) : undefined;
  }

  /** Entries stand in the order of their end, since all windows are of one length. */
  private expire(now: number): void {
    for (const [id, { until }] of this.failures) {
      if (until > now) return;
      this.failures.delete(id);
    }
  }
}
