import { RETENTION } from '@lethe/contracts';

const { bucketMs, limitMs } = RETENTION.body;
const LONGEST_MS = RETENTION.instructed.limitMs;
/** Whoever drops what is due comes by every minute or so, and may have to try again. */
const MARGIN_MS = 600_000;

/**
 * When a message's body and content key are dropped: the bucket boundary before its limit, so the limit is never passed (up
 * to 6 h early, and never so late that dropping it would be late). `keepMs`: the account's limit, 7 days by default, and at most 30, which takes its written
 * instruction.
 */
export function dropTime(acceptedAt: Date, keepMs: number = limitMs): Date {
  if (keepMs > LONGEST_MS) throw new RangeError('Bodies are kept for 30 days at most');
  return new Date(Math.floor((acceptedAt.getTime() + keepMs - MARGIN_MS) / bucketMs) * bucketMs);
}

/** Whether a body is kept for longer than all others, by the written instruction of its account (Art. 28(3)(a) GDPR). */
export const isInstructed = (acceptedAt: Date, dropAt: Date): boolean =>
  dropAt.getTime() - acceptedAt.getTime() > limitMs;
