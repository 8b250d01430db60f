import { describe, expect, it } from 'vitest';
import { isOnlyActive, signingKey, takesOver } from './signing.policy.ts';

const key = (
  id: string,
  active: boolean,
  activated: number | null,
  dnsCheck: 'valid' | 'unknown' | 'invalid' = 'valid',
) => ({
  id,
  active,
  activatedAt: activated === null ? null : new Date(activated),
  dnsCheck,
});

describe('DKIM keys', () => {
  it('sign by the one that became active last, whatever the DNS says now', () => {
    expect(signingKey([key('a', true, 1), key('b', true, 3, 'unknown'), key('c', true, 2)])?.id).toBe('b');
    expect(signingKey([key('a', true, 1), key('b', false, 3)])?.id).toBe('a');
    expect(signingKey([key('a', true, 1), key('b', true, 1)])?.id).toBe('b');
    expect(signingKey([key('a', false, null)])).toBeUndefined();
  });

  it.each([
    [key('a', false, null), true],
    [key('a', false, null, 'unknown'), false],
    [key('a', false, null, 'invalid'), false],
    [key('a', false, 1), false],
    [key('a', true, 1), false],
  ])('%j takes over: %s', (given, expected) => {
    expect(takesOver(given)).toBe(expected);
  });

  it('keep one that is active', () => {
    const [a, b, c] = [key('a', true, 1), key('b', true, 2), key('c', false, 3)] as const;
    expect(isOnlyActive(a, [a, b, c])).toBe(false);
    expect(isOnlyActive(a, [a, c])).toBe(true);
    expect(isOnlyActive(c, [a, c])).toBe(false);
  });
});
