import { Secret } from 'otpauth';
import { hashOf } from '../users/token.ts';

const COUNT = 10;
/** 80 bits: as a plain hash nobody finds them, and 16 characters can be typed. */
const OCTETS = 10;

/** For who has lost their authenticator: told once, each admits once. The hashes are kept. */
export function newRecoveryCodes(): { codes: string[]; hashes: string[] } {
  const codes = Array.from({ length: COUNT }, () =>
    new Secret({ size: OCTETS }).base32.toLowerCase().replaceAll(/(.{4})(?=.)/g, '$1-'),
  );
  return { codes, hashes: codes.map(recoveryHash) };
}

/** However it is typed. */
export const recoveryHash = (code: string): string => hashOf(code.replaceAll(/[\s-]/g, '').toLowerCase());
