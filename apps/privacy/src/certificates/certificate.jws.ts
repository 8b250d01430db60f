import { compactVerify, CompactSign, decodeProtectedHeader, importJWK } from 'jose';
import type { CertificatePayload } from './certificate.payload.ts';
import type { SigningKey } from './signing-key.ts';

/** What a key of ours signed, said in the signed header: nothing else that it may sign can pass for a certificate. */
export const CERTIFICATE_TYPE = 'lethe-erasure-certificate+jwt';
/** RFC 8037; libraries of every language know it. */
const ALGORITHM = 'EdDSA';
/** A certificate of 5,000 people with some aliases each stays below. */
export const MAX_CERTIFICATE_CHARACTERS = 4_000_000;
/** Clocks of those who keep the keys and those who sign may differ by so much. */
const SKEW_MS = 60_000;

/** A public key and the time in which it signed. */
export interface KnownKey {
  readonly kid: string;
  readonly x: string;
  readonly validFrom: Date;
  /** `null`: it still signs. */
  readonly retiredAt: Date | null;
}

export type Refusal =
  | 'too-large'
  /** No compact JWS (RFC 7515 §7.1), or one whose encoding is not the only right one. */
  | 'malformed'
  /** Something else than an erasure certificate. */
  | 'not-a-certificate'
  /** Signed by a key that is not ours. */
  | 'unknown-key'
  /** Something was changed after it was signed. */
  | 'bad-signature'
  /** Issued when its key did not sign yet, or no more. */
  | 'outside-validity';

export type Verdict =
  | { readonly valid: true; readonly reason: null; readonly payload: CertificatePayload }
  | { readonly valid: false; readonly reason: Refusal; readonly payload: null };

export function signCertificate(payload: CertificatePayload, { kid, privateKey }: SigningKey): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: ALGORITHM, kid, typ: CERTIFICATE_TYPE })
    .sign(privateKey);
}

/** Never throws for what it is given; only `find` may. */
export async function verifyCertificate(
  certificate: string,
  find: (kid: string) => Promise<KnownKey | undefined>,
): Promise<Verdict> {
  if (certificate.length > MAX_CERTIFICATE_CHARACTERS) return refused('too-large');
  const header = headerOf(certificate);
  if (header === undefined) return refused('malformed');
  if (header.typ !== CERTIFICATE_TYPE || typeof header.kid !== 'string') return refused('not-a-certificate');
  const key = KEY_ID.test(header.kid) ? await find(header.kid) : undefined;
  if (key === undefined) return refused('unknown-key');
  const payload = await verifiedPayload(certificate, key.x);
  if (payload === undefined) return refused('bad-signature');
  const issuedAt = payload.iat * 1_000;
  const from = key.validFrom.getTime() - SKEW_MS;
  const to = key.retiredAt === null ? Number.POSITIVE_INFINITY : key.retiredAt.getTime() + SKEW_MS;
  if (!(issuedAt >= from && issuedAt <= to)) return refused('outside-validity');
  return { valid: true, reason: null, payload };
}

const KEY_ID = /^[\w-]{43}$/;
/** 64 bytes are 86 characters. */
const COMPACT = /^[\w-]+\.[\w-]+\.([\w-]{86})$/;

/** The header of what has the form of a compact JWS, not yet believed. */
function headerOf(certificate: string): { typ?: unknown; kid?: unknown } | undefined {
  const signature = COMPACT.exec(certificate)?.[1];
  // The last character has bits that decode to nothing: only one of its sixteen spellings is what was signed.
  if (signature === undefined || Buffer.from(signature, 'base64url').toString('base64url') !== signature)
    return undefined;
  try {
    return decodeProtectedHeader(certificate);
  } catch {
    return undefined;
  }
}

async function verifiedPayload(certificate: string, x: string): Promise<CertificatePayload | undefined> {
  const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, ALGORITHM);
  try {
    const { payload } = await compactVerify(certificate, key, { algorithms: [ALGORITHM] });
    return JSON.parse(Buffer.from(payload).toString('utf8')) as CertificatePayload;
  } catch {
    return undefined;
  }
}

const refused = (reason: Refusal): Verdict => ({ valid: false, reason, payload: null });
