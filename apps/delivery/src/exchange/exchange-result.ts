import type { SmtpReply } from '../smtp/reply-parser.ts';

/** Enumerated reasons for which no server was asked. For logs, metrics and the events' reply text. */
export type RefusalCause =
  | 'no-such-domain'
  | 'null-mx'
  | 'dns-unavailable'
  | 'no-address'
  | 'not-loopback'
  | 'no-connection'
  | 'tls-unavailable'
  | 'connection-lost';

/** Decided by us: no server gave a reply for this recipient. */
export interface Refusal {
  refused: 'permanent' | 'temporary';
  /** 550 and 556 as RFC 5321 and RFC 7505 have them; 498 is the platform's for "no answer". */
  code: number;
  enhancedCode: string;
  why: RefusalCause;
}

/** What one attempt at a recipient's exchangers came to. */
export interface ExchangeResult {
  /** The reply that decided: 2xx is delivered. */
  reply?: SmtpReply;
  refusal?: Refusal;
  /** The session broke after the final dot left: the server may have the message. */
  ambiguous: boolean;
  tls: boolean;
  /** Name of the exchanger that was asked last. */
  host?: string;
}
