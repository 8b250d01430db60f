import { BoundedMap } from './bounded-map.ts';

interface Bucket {
  tokens: number;
  at: number;
}

export type Allowance = { allowed: true } | { allowed: false; retryAfterSeconds: number };

/** A token bucket per id: `perSecond` on average, up to `burst` at once. In memory, so per gateway process. */
export class RateLimiter {
  private readonly buckets: BoundedMap<string, Bucket>;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    capacity: number,
  ) {
    this.buckets = new BoundedMap(capacity);
  }

  /** Takes one token. `now` in milliseconds. */
  take(id: string, now: number): Allowance {
    let bucket = this.buckets.get(id);
    if (!bucket) {
      bucket = { tokens: this.burst, at: now };
      this.buckets.set(id, bucket);
    }
    const gained = (Math.max(0, now - bucket.at) / 1_000) * this.perSecond;
    bucket.tokens = Math.min(this.burst, bucket.tokens + gained);
    bucket.at = now;
    if (bucket.tokens < 1)
      return { allowed: false, retryAfterSeconds: Math.ceil((1 - bucket.tokens) / this.perSecond) };
    bucket.tokens -= 1;
    return { allowed: true };
  }
}
