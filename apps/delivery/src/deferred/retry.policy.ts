const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `1m,30m,2h` → milliseconds; undefined if it is no such list. */
export function parseDelays(text: string): number[] | undefined {
  const delays = text.split(',').map((item) => {
    const match = /^\s*(\d{1,6})(ms|s|m|h)\s*$/.exec(item);
    return match ? Number(match[1]) * (UNITS[match[2] as string] as number) : 0;
  });
  return delays.every((delay) => delay > 0) ? delays : undefined;
}

/**
 * When the next attempt is due after attempt number `attempt` (from 1), epoch ms. Growing, as RFC 5321 §4.5.4.1 asks; spread
 * by ±20 % so that what failed together does not come back together. Never past `expiresAt`: then it is given up, on time.
 */
export function nextAttemptAt(
  delays: readonly number[],
  attempt: number,
  now: number,
  expiresAt: number,
  chance = Math.random(),
): number {
  const delay = delays[Math.min(attempt, delays.length) - 1] as number;
  return Math.min(Math.round(now + delay * (0.8 + 0.4 * chance)), expiresAt);
}
