import type { CertificateProof, TlsFault } from '../smtp/certificate-proof.ts';
import type { SmtpReply } from '../smtp/reply-parser.ts';

/** Enumerated reasons for which no server was asked. For logs, metrics and the events' reply text. */
export type RefusalCause =
  | 'no-such-domain'
  | 'null-mx'
  | 'dns-unavailable'
  | 'no-address'
  | 'not-loopback'
  | 'not-public'
  | 'address-literal'
  | 'no-connection'
  | 'tls-unavailable'
  | 'not-authenticated'
  | 'dane-unavailable'
  | 'sts-not-named'
  | 'login-refused'
  | 'connection-lost';

/** Decided by us: no server gave a reply for this recipient. */
export interface Refusal {
  refused: 'permanent' | 'temporary';
  /** 550 and 556 as RFC 5321 and RFC 7505 have them; 498 is the platform's for "no answer". */
  code: number;
  enhancedCode: string;
  why: RefusalCause;
  /** Of a session that was not secured as it had to be: what was wrong, and who asked for it. */
  tls?: { fault: TlsFault; policy: CertificateProof['policy'] };
}

/** What one attempt at a recipient's exchangers came to. */
export interface ExchangeResult {
  /** The reply that decided: 2xx is delivered. */
  reply?: SmtpReply;
  refusal?: Refusal;
  /** The session broke after the final dot left: the server may have the message. */
  ambiguous: boolean;
  tls: boolean;
  /** The certificate proved what it had to, or, where nothing had to be proved, that it is the exchanger's. */
  verified: boolean;
  /** Name of the exchanger that was asked last. */
  host?: string;
}
