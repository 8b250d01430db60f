import { createHash, type X509Certificate } from 'node:crypto';
import type { CertificateProof } from '../smtp/certificate-proof.ts';
import { daneFault } from './tlsa.match.ts';
import type { TlsaRecord } from './tlsa.records.ts';

/**
 * An exchanger proves by TLSA records that it is meant. `base`: the domain the records stand for, which is also the name that the
 * server is asked for (RFC 7672 §8.1). `domain`: whose mail it is; a certificate may be in that name, too (§3.2.2).
 */
export function daneProof(records: readonly TlsaRecord[], base: string, domain: string): CertificateProof {
  const digest = createHash('sha256').update(base).update(domain);
  for (const { usage, selector, matching, data } of records)
    digest.update(`${usage}${selector}${matching}`).update(data);
  const names = [base, domain];
  return {
    policy: 'tlsa',
    id: `tlsa ${digest.digest('base64url')}`,
    servername: base,
    fault(session) {
      const chain: X509Certificate[] = [];
      let next = session.getPeerX509Certificate();
      while (next && !chain.includes(next) && chain.length < 20) {
        chain.push(next);
        next = next.issuerCertificate;
      }
      return daneFault(records, chain, names);
    },
  };
}
