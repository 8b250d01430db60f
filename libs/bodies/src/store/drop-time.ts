import { RETENTION } from '@lethe/contracts';

const { bucketMs, limitMs } = RETENTION.body;
/** Whoever drops what is due comes by every minute or so, and may have to try again. */
const MARGIN_MS = 600_000;

/**
 * When a message's body and content key are dropped: the bucket boundary before its limit, so the limit is never passed (up
 * to 6 h early, and never so late that dropping it would be late). `keepMs`: the account's limit, default and at most 7 days.
 */
export function dropTime(acceptedAt: Date, keepMs: number = limitMs): Date {
  if (keepMs > limitMs) throw new RangeError('Bodies are kept for 7 days at most');
  return new Date(Math.floor((acceptedAt.getTime() + keepMs - MARGIN_MS) / bucketMs) * bucketMs);
}
