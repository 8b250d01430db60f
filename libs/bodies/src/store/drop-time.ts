import { RETENTION } from '@lethe/contracts';

const { bucketMs, limitMs } = RETENTION.body;

/**
 * When a message's body and content key are dropped: the bucket boundary at or before its limit, so the limit is never
 * passed (up to 6 h early). `keepMs`: the account's limit, default and at most 7 days.
 */
export function dropTime(acceptedAt: Date, keepMs: number = limitMs): Date {
  if (keepMs > limitMs) throw new RangeError('Bodies are kept for 7 days at most');
  return new Date(Math.floor((acceptedAt.getTime() + keepMs) / bucketMs) * bucketMs);
}
