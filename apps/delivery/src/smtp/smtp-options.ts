import type { SecureContext } from 'node:tls';
import type { CertificateProof } from './certificate-proof.ts';

/** Times in milliseconds. RFC 5321 §4.5.3.2 names the least a client should wait. */
export interface SmtpTimeouts {
  connect: number;
  /** §4.5.3.2.1: 5 minutes. */
  greeting: number;
  /** EHLO, STARTTLS, MAIL, RCPT, DATA, RSET. §4.5.3.2.2–4: 5 minutes (DATA 2). */
  command: number;
  /** The content, as a whole, written. §4.5.3.2.5: 3 minutes a block. */
  content: number;
  /** From the final dot to its reply. §4.5.3.2.6: 10 minutes; too short makes duplicates (RFC 1047). */
  finalDot: number;
}

export interface SmtpOptions {
  /** Our name in EHLO (RFC 5321 §4.1.1.1). */
  helo: string;
  timeouts: SmtpTimeouts;
  /** Authorities that are trusted; else those of Node. */
  trust?: SecureContext;
}

/** How we say to a smart host who we are (RFC 4954). */
export interface Login {
  username: string;
  password: string;
}

/** Where a session begins. */
export interface Source {
  address: string;
  /** Our name in EHLO there, if it is another one. */
  helo?: string;
}

export interface SmtpTarget {
  /** Name of the exchanger: for TLS server name indication. */
  host: string;
  address: string;
  port: number;
  /** `never`: a handshake failed there before, or the operator's route says so. `required`: not a word of the message in clear. */
  tls: 'opportunistic' | 'required' | 'never';
  /** What the certificate must prove, where TLS is required; else any will do. */
  proof?: CertificateProof;
  /** Only ever said over TLS. */
  login?: Login;
  /** None: the system chooses. */
  source?: Source;
}
