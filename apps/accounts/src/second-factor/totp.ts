import { Secret, TOTP } from 'otpauth';

/** RFC 6238 as every authenticator has it. */
const PARAMETERS = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
/** Steps before and after this one that are taken: clocks differ, and people take their time (RFC 6238 §5.2). */
const WINDOW = 1;

/** 160 random bits (RFC 4226 §4, R6) in Base32. */
export const newTotpSecret = (): string => new Secret({ size: 20 }).base32;

/** What an authenticator reads from a QR code. It shows the two names. */
export const totpUrl = (secret: string, issuer: string, label: string): string =>
  new TOTP({ ...PARAMETERS, secret, issuer, label }).toString();

/** The step that the code is of; undefined: of none near this moment. */
export function stepOf(secret: string, code: string, now: number): number | undefined {
  const totp = new TOTP({ ...PARAMETERS, secret });
  const delta = totp.validate({ token: code, timestamp: now, window: WINDOW });
  return delta === null ? undefined : totp.counter({ timestamp: now }) + delta;
}
