import type { BounceReason } from '../reasons.ts';

/** The command of the session (RFC 5321 4.1) that was answered; CONNECT is the greeting. */
export type Command = 'CONNECT' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA';

/** One line of knowledge. All its conditions have to hold. */
export interface Rule {
  reason: BounceReason;
  /** Phrases between bars, one of which stands in the text; `…` is a gap of a few words. Without it, any text fits. */
  says?: string;
  /** The command is one of these; `unknown` where the report does not tell. */
  at?: readonly (Command | 'unknown')[];
  /** With, or not with, these details of the enhanced status (`7.1` of 5.7.1). */
  status?: readonly string[];
  notStatus?: readonly string[];
  replyCode?: readonly number[];
  /** Only where the failure is a passing one (class 4), or only where it is not. */
  passing?: boolean;
  /** Only where another server's answer is told, or only where the reporting system speaks for itself. */
  quoted?: boolean;
  /** Only where a system of one of these domains speaks. */
  provider?: readonly string[];
  /** Good enough to explain a bounce; not to stop writing to somebody. */
  weak?: true;
}
