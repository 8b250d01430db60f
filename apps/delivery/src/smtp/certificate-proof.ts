import type { TLSSocket } from 'node:tls';

/** Why a session has no TLS, or its certificate proves nothing: the result types of RFC 8460 §4.3.2 and §4.3.1. */
export const TLS_FAULTS = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
] as const;
export type TlsFault = (typeof TLS_FAULTS)[number];

/** How a server proves that it is the one that is meant. */
export interface CertificateProof {
  /** Whose word makes it necessary: DNS's (`tlsa`), the domain's policy (`sts`), or the sender's or operator's own. */
  policy: 'tlsa' | 'sts' | 'own';
  /** Sessions that have proved the same are interchangeable. */
  id: string;
  /** The name that the server is asked for. */
  servername: string;
  /** What the certificate of an open session lacks; undefined: nothing. */
  fault(session: TLSSocket): TlsFault | undefined;
}

/** By an authority that we trust, in the host's name (RFC 8461 §4.1, RFC 6125). */
export function pkixProof(host: string, policy: CertificateProof['policy']): CertificateProof {
  return { policy, id: `pkix ${host}`, servername: host, fault: pkixFault };
}

/** What Node found when the session was opened in the name that was asked for. */
export function pkixFault(session: TLSSocket): TlsFault | undefined {
  if (session.authorized) return undefined;
  // A code of OpenSSL's or of Node's; its type says that it is an error.
  const code = String(session.authorizationError);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'certificate-host-mismatch';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'certificate-expired';
  return /SELF_SIGNED|UNABLE_TO|UNTRUSTED|INVALID_CA|REVOKED/.test(code)
    ? 'certificate-not-trusted'
    : 'validation-failure';
}
