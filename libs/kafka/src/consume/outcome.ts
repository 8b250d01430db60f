/** What became of a record. The library moves offsets; a handler only says this. */
export type Outcome =
  | { kind: 'done' }
  /** The person it is about is erased: nothing to do, counted apart. */
  | { kind: 'forgotten' }
  /** Try again, no sooner than `afterMs`; the delay grows with every attempt. Others of the partition go on. */
  | { kind: 'retry'; reason: string; afterMs: number }
  /** No attempt can succeed: to the dead letters, with the reason code (never text about a person). */
  | { kind: 'reject'; reason: string };

const DONE: Outcome = { kind: 'done' };
const FORGOTTEN: Outcome = { kind: 'forgotten' };

export const done = (): Outcome => DONE;
export const forgotten = (): Outcome => FORGOTTEN;
export const retry = (reason: string, afterMs = 0): Outcome => ({ kind: 'retry', reason, afterMs });
export const reject = (reason: string): Outcome => ({ kind: 'reject', reason });

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;

/** Delay before attempt `attempt + 1`: doubled each time from 100 ms (or what the handler asked), at most 30 s. */
export function retryDelay(attempt: number, askedMs: number): number {
  const growing = FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 16);
  return Math.min(LONGEST_DELAY_MS, Math.max(askedMs, growing));
}
