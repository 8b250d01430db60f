import { describe, expect, it } from 'vitest';
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

  it('ends with the message', () => {
    expect(nextAttemptAt([100], 1, 0, 50, 0.5)).toBe(50);
  });
});
