import { BoundedMap } from './bounded-map.ts';

interface Bucket {
  tokens: number;
  at: number;
}

export interface Allowance {
  allowed: boolean;
  /** Whole requests that may follow at once. */
  remaining: number;
  /** Until as many as `burst` may, in whole seconds. */
  resetSeconds: number;
  /** Until the next may; 0 where it may now. */
  retryAfterSeconds: number;
}

/** A token bucket per id: `perSecond` on average, up to `burst` at once. In memory, so per gateway process. */
export class RateLimiter {
  private readonly buckets: BoundedMap<string, Bucket>;

  constructor(
    readonly perSecond: number,
    readonly burst: number,
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
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    return {
      allowed,
      remaining: Math.floor(bucket.tokens),
      resetSeconds: Math.ceil((this.burst - bucket.tokens) / this.perSecond),
      retryAfterSeconds: allowed ? 0 : Math.ceil((1 - bucket.tokens) / this.perSecond),
    };
  }
}
