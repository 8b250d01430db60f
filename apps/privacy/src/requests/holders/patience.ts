const LONGEST_MS = 60_000;
const SOON_MS = 1_000;

/** How long attempt `attempt` (from 1) may take before the next: doubled each time, up to a minute. */
export function patience(attempt: number, firstMs: number): number {
  return Math.min(Math.max(LONGEST_MS, firstMs), firstMs * 2 ** Math.min(attempt - 1, 10));
}

/** How soon a holder is asked again that answered, but not what was asked: sooner than one that is silent. */
export function afterFailure(attempt: number, firstMs: number): number {
  return Math.min(patience(attempt, firstMs), SOON_MS * 2 ** Math.min(attempt - 1, 10));
}
