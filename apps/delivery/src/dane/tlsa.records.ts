import { X509Certificate } from 'node:crypto';
import type { TlsaData } from 'dns-packet';

/** RFC 6698 §2.1 and RFC 7672 §3.1: the two usages that mean something for SMTP. */
export const DANE_TA = 2;
export const DANE_EE = 3;

export interface TlsaRecord {
  usage: typeof DANE_TA | typeof DANE_EE;
  /** 0: the certificate; 1: its public key. */
  selector: 0 | 1;
  /** 0: as it is; 1: its SHA-256; 2: its SHA-512. */
  matching: 0 | 1 | 2;
  data: Buffer;
}

const DIGEST_BYTES = { 1: 32, 2: 64 } as const;

/**
 * Those that an exchanger can be authenticated by. PKIX-TA and PKIX-EE (0, 1) are unusable for SMTP (RFC 7672 §3.1.3), as is what
 * nobody has defined, or what holds less than it says. Of digests of the same thing only the strongest count (RFC 7671 §9).
 */
export function usable(records: readonly TlsaData[]): TlsaRecord[] {
  const known = records.flatMap(({ usage, selector, matchingType: matching, certificate: data }): TlsaRecord[] => {
    if (usage !== DANE_TA && usage !== DANE_EE) return [];
    if (selector !== 0 && selector !== 1) return [];
    if (matching === 1 || matching === 2) {
      return data.length === DIGEST_BYTES[matching] ? [{ usage, selector, matching, data }] : [];
    }
    return matching === 0 && isWhole(selector, data) ? [{ usage, selector, matching, data }] : [];
  });
  return known.filter(
    (record) =>
      record.matching !== 1 ||
      !known.some(
        (other) => other.usage === record.usage && other.selector === record.selector && other.matching === 2,
      ),
  );
}

/** Whether it is what it is to be compared with: a certificate; a key needs no reading, it is compared by its octets. */
function isWhole(selector: number, data: Buffer): boolean {
  return data.length > 0 && (selector === 1 || certificateOf(data) !== undefined);
}

export function certificateOf(data: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(data);
  } catch {
    return undefined;
  }
}
