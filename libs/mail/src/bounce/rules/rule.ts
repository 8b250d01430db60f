import type { BounceReason } from '../reasons.ts';

/** The command of the session (RFC 5321 4.1) that was answered; CONNECT is the greeting. */
export type Command = 'CONNECT' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA';

/** One line of knowledge. All its conditions have to hold. */
export interface Rule {
  reason: BounceReason;
  /** Phrases between bars, one of which stands in the text; `…` is a gap of a few words. Without it, any text fits. */
  says?: string;
  /** Phrases between bars, one of which has to stand in the text as well. */
  besides?: string;
  /** Phrases between bars, none of which stands in the text. */
  unless?: string;
  /** A number or a letter behind a prefix of the provider's own, in the words of the text. Anchored by its blanks. */
  code?: RegExp;
  /** The command is one of these, or none of them; `unknown` where the report does not tell. */
  at?: readonly (Command | 'unknown')[];
  notAt?: readonly (Command | 'unknown')[];
  /** The reason that the status alone has is one of these, or none of them; `none` where it has none. */
  named?: readonly (BounceReason | 'none')[];
  notNamed?: readonly (BounceReason | 'none')[];
  /** With, or not with, these details of the enhanced status (`7.1` of 5.7.1). */
  status?: readonly string[];
  notStatus?: readonly string[];
  /** Only where there is a status. */
  stated?: true;
  /** Only where the status says no more than its class and subject, or only where it says more. */
  general?: boolean;
  replyCode?: readonly number[];
  /** Only where the failure is a passing one (class 4), or only where it is not. */
  passing?: boolean;
  /** Only where another server's answer is told, or only where the reporting system speaks for itself. */
  quoted?: boolean;
  /** Only where a system of one of these domains speaks. */
  provider?: readonly string[];
  /** Only in a report of these programs or services. */
  from?: readonly string[];
  /** Good enough to explain a bounce; not to stop writing to somebody. */
  weak?: true;
}
