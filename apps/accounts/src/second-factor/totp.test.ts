import { Secret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { newRecoveryCodes, recoveryHash } from './recovery-codes.ts';
import { newTotpSecret, stepOf, totpUrl } from './totp.ts';

/** The secret of RFC 6238, appendix B. */
const SECRET = Secret.fromLatin1('12345678901234567890').base32;

describe('a code of an authenticator', () => {
  // The last six digits of the appendix's eight, for SHA-1.
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %i s is as in RFC 6238', (seconds, code) => {
    expect(stepOf(SECRET, code, seconds * 1_000)).toBe(Math.floor(seconds / 30));
  });

  it('is of the step it was made in, one before or after this one', () => {
    const step = 66_666_666;
    const at = (other: number) => new TOTP({ secret: SECRET }).generate({ timestamp: other * 30_000 });
    const taken = [-2, -1, 0, 1, 2].map((delta) => stepOf(SECRET, at(step + delta), step * 30_000));
    expect(taken).toEqual([undefined, step - 1, step, step + 1, undefined]);
  });

  it.each(['', '28708', '2870820', 'abcdef', 'ab cd'])('is not %j', (code) => {
    expect(stepOf(SECRET, code, 59_000)).toBeUndefined();
  });

  it('is of a secret of 160 bits that an authenticator reads with its names', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(newTotpSecret()).not.toBe(secret);
    const url = new URL(totpUrl(secret, 'mail.example.net', 'ana@world.example'));
    expect([url.protocol, url.host, url.searchParams.get('secret'), url.searchParams.get('issuer')]).toEqual([
      'otpauth:',
      'totp',
      secret,
      'mail.example.net',
    ]);
  });
});

describe('recovery codes', () => {
  it('are ten of 80 bits, and taken however they are typed', () => {
    const { codes, hashes } = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^(?:[a-z2-7]{4}-){3}[a-z2-7]{4}$/);
    const [first = ''] = codes;
    expect(codes.map(recoveryHash)).toEqual(hashes);
    expect(recoveryHash(` ${first.replaceAll('-', ' ').toUpperCase()}`)).toBe(hashes[0]);
    expect(hashes).not.toContain(recoveryHash('aaaa-aaaa-aaaa-aaaa'));
  });
});
