import { describe, expect, it } from 'vitest';
import { isOnlyActive, signingKey, takesOver } from './signing.policy.ts';

const key = (
  id: string,
  active: boolean,
  activated: number | null,
  dnsCheck: 'valid' | 'unknown' | 'invalid' = 'valid',
) => ({
  id,
  algorithm: 'rsa' as 'rsa' | 'ed25519',
  active,
  activatedAt: activated === null ? null : new Date(activated),
  dnsCheck,
});

describe('DKIM keys', () => {
  it('sign by the one that became active last, whatever the DNS says now', () => {
    expect(signingKey([key('a', true, 1), key('b', true, 3, 'unknown'), key('c', true, 2)], 'rsa')?.id).toBe('b');
    expect(signingKey([key('a', true, 1), key('b', false, 3)], 'rsa')?.id).toBe('a');
    expect(signingKey([key('a', true, 1), key('b', true, 1)], 'rsa')?.id).toBe('b');
    expect(signingKey([key('a', false, null)], 'rsa')).toBeUndefined();
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

  it('of Ed25519 sign beside RSA, and can all go', () => {
    const ed = { ...key('e', true, 9), algorithm: 'ed25519' as const };
    const rsa = key('a', true, 1);
    expect(signingKey([rsa, ed], 'rsa')?.id).toBe('a');
    expect(signingKey([rsa, ed], 'ed25519')?.id).toBe('e');
    expect(isOnlyActive(ed, [rsa, ed])).toBe(false);
    expect(isOnlyActive(rsa, [rsa, ed])).toBe(true);
  });
});
