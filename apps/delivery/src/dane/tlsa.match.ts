import { createHash, type X509Certificate } from 'node:crypto';
import type { TlsFault } from '../smtp/certificate-proof.ts';
import { certificateOf, DANE_EE, DANE_TA, type TlsaRecord } from './tlsa.records.ts';

const MAX_CHAIN = 10;

/**
 * Whether one of the records authenticates the certificate (RFC 7672 §3). `chain`: as the server sent it, its own first. `names`: what
 * the server may be called, for trust anchors; an end entity is authenticated by its key alone, whatever name and dates it has
 * (§3.1.1). Undefined: it is authenticated.
 */
export function daneFault(
  records: readonly TlsaRecord[],
  chain: readonly X509Certificate[],
  names: readonly string[],
  now = Date.now(),
): TlsFault | undefined {
  const [own] = chain;
  if (!own) return 'validation-failure';
  if (records.some((record) => record.usage === DANE_EE && matches(record, own))) return undefined;
  let fault: TlsFault = 'validation-failure';
  for (const record of records) {
    if (record.usage !== DANE_TA) continue;
    const found = anchorFault(record, chain, names, now);
    if (found === undefined) return undefined;
    // The most that can be said: an anchor was there, and something else was wrong.
    if (found !== 'validation-failure') fault = found;
  }
  return fault;
}

/** The own certificate is signed, by way of what the server sent, by an anchor that the record names (RFC 7672 §3.1.2). */
function anchorFault(
  record: TlsaRecord,
  chain: readonly X509Certificate[],
  names: readonly string[],
  now: number,
): TlsFault | undefined {
  // A whole certificate in DNS need not be sent.
  const given = record.matching === 0 && record.selector === 0 ? certificateOf(record.data) : undefined;
  const candidates = given ? [...chain, given] : chain;
  const path = pathTo(candidates.slice(0, MAX_CHAIN), (certificate) => matches(record, certificate));
  const [own] = path ?? [];
  if (!path || !own) return 'validation-failure';
  if (path.some((one) => Date.parse(one.validFrom) > now || Date.parse(one.validTo) < now))
    return 'certificate-expired';
  return names.some((name) => own.checkHost(name) !== undefined) ? undefined : 'certificate-host-mismatch';
}

/** From the own certificate from issuer to issuer up to an anchor, each signed by the next; undefined if none is reached. */
function pathTo(
  candidates: readonly X509Certificate[],
  isAnchor: (certificate: X509Certificate) => boolean,
): X509Certificate[] | undefined {
  const [own, ...others] = candidates;
  if (!own) return undefined;
  const path = [own];
  for (let last = own; path.length <= candidates.length;) {
    const issuers = others.filter((other) => !path.includes(other) && signed(last, other));
    const issuer = issuers.find(isAnchor) ?? issuers[0];
    if (!issuer) return undefined;
    path.push(issuer);
    if (isAnchor(issuer)) return path;
    last = issuer;
  }
  return undefined;
}

/** Issuer and key identifier, key usage and basic constraints (RFC 5280 §4.2.1), and the signature. */
const signed = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

function matches({ selector, matching, data }: TlsaRecord, certificate: X509Certificate): boolean {
  const whole = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' });
  if (matching === 0) return whole.equals(data);
  return createHash(matching === 1 ? 'sha256' : 'sha512')
    .update(whole)
    .digest()
    .equals(data);
}
