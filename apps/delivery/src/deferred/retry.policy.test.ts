import { describe, expect, it } from 'vitest';
import { ownConfig } from '../config.ts';
import { nextAttemptAt, parseDelays } from './retry.policy.ts';

describe('retry policy', () => {
  it('reads a list of delays, and refuses what is none', () => {
    expect(parseDelays('200ms, 30s,5m,4h')).toEqual([200, 30_000, 300_000, 14_400_000]);
    for (const wrong of ['', '5', '5m,', '0s', '-1m', '1d', '5m;6m']) expect(parseDelays(wrong)).toBeUndefined();
  });

  it('grows, spreads, and repeats the last delay', () => {
    const at = (attempt: number, chance: number) => nextAttemptAt([100, 1_000], attempt, 0, 1e9, chance);
    expect([at(1, 0.5), at(2, 0.5), at(3, 0.5), at(99, 0.5)]).toEqual([100, 1_000, 1_000, 1_000]);
    expect([at(1, 0), at(1, 1)]).toEqual([80, 120]);
  });

  it('tries for a week, ever more rarely, and last of all when it ends', () => {
    const [begin, end] = [0, 7 * 86_400_000];
    const delays = parseDelays(ownConfig.RETRY_DELAYS.parse(undefined)) as number[];
    const chances = [0, 1, 0.5, 0.25, 0.75];
    const times = [begin];
    for (let attempt = 1; (times.at(-1) as number) < end; attempt += 1) {
      times.push(nextAttemptAt(delays, attempt, times.at(-1) as number, end, chances[attempt % chances.length]));
    }
    const waits = times.slice(1).map((at, index) => at - times[index]);
    expect(times.at(-1)).toBe(end);
    expect(waits.length).toBeGreaterThan(40);
    expect(waits.length).toBeLessThan(60);
    // Spread, but never so far that a later wait were the shorter one until the last delay is reached.
    const growing = waits.slice(0, delays.length);
    expect(growing).toEqual(growing.toSorted((one, other) => one - other));
    expect(Math.max(...waits)).toBeLessThanOrEqual(1.2 * 4 * 3_600_000);
    expect(Math.min(...waits.slice(delays.length, -1))).toBeGreaterThanOrEqual(0.8 * 4 * 3_600_000);
  });

  it('ends with the message', () => {
    expect(nextAttemptAt([100], 1, 0, 50, 0.5)).toBe(50);
  });
});
