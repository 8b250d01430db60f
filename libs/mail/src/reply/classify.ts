import { classify, suspect, type Evidence } from '../bounce/classify.ts';
import { REASONS, type BounceReason } from '../bounce/reasons.ts';
import { Reading } from '../bounce/words.ts';

/** Mailgun's reasons of a `failed` event that a reply can have; the other ones are not decided by a reply. */
export type FailureReason = 'generic' | 'bounce' | 'espblock' | 'greylisted' | 'blacklisted';

export interface ReplyClass {
  severity: 'temporary' | 'permanent';
  reason: FailureReason;
  /** The mailbox or its domain does not exist: nobody should write there again. */
  noSuchMailbox: boolean;
}

/** RFC 3463 3.2: addressing status that says "there is no such destination". 1.10 is the null MX of RFC 7505. */
const NO_SUCH_STATUS = new Set(['1.1', '1.2', '1.3', '1.6', '1.10']);
/** RFC 5321 4.2.3: the codes that speak about a mailbox. */
const MAILBOX_CODES = new Set([550, 551, 553]);

/** What a provider has against us, as far as Mailgun has words for it; all else is a `bounce`. */
const BLOCKS: Partial<Record<BounceReason, FailureReason>> = {
  listed: 'blacklisted',
  greylisted: 'greylisted',
  blocked: 'espblock',
  reputation: 'espblock',
  'no-reverse-dns': 'espblock',
  unauthenticated: 'espblock',
  spam: 'espblock',
  policy: 'espblock',
  'too-fast': 'espblock',
  'rate-limited': 'espblock',
};

/**
 * What a negative reply means, by the rules for bounces. `code` is the three-digit code (RFC 5321 4.2.1), which alone decides
 * the severity; `enhanced` is RFC 3463's, read from the text where it is not given. `text` is the whole reply, unmasked; it is
 * not kept.
 */
export function classifyReply(code: number, enhanced: string | undefined, text: string): ReplyClass {
  const status = enhanced ?? enhancedCode(text);
  // A live reply is about this recipient, whichever command it answers.
  const evidence: Evidence = { text: new Reading(text), status, replyCode: code, command: 'RCPT', quoted: true };
  const found = classify(evidence);
  // Servers wrap what they have against us into "recipient rejected" and 5.1.1: a single word of it is enough to be careful.
  const doubt = suspect(evidence);
  const block = BLOCKS[found.reason] ?? (doubt && BLOCKS[doubt.reason]);
  if (code < 500) {
    const reason = block === 'greylisted' || block === 'blacklisted' ? block : 'generic';
    return { severity: 'temporary', reason, noSuchMailbox: false };
  }
  const about = status?.split('.').slice(1).join('.') ?? '';
  const isSaid = found.reason === 'unknown-user' && MAILBOX_CODES.has(code) && !about.startsWith('7.');
  const isDoubtful = doubt !== undefined && !REASONS[doubt.reason].hard;
  const noSuchMailbox =
    REASONS[found.reason].hard && !found.weak && !isDoubtful && (NO_SUCH_STATUS.has(about) || isSaid);
  return { severity: 'permanent', reason: block ?? 'bounce', noSuchMailbox };
}

/** The enhanced status code (RFC 2034 4) at the beginning of a reply's text, if there is one. */
export function enhancedCode(text: string): string | undefined {
  return /^\s*(?:\d{3}[ -])?([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/.exec(text.slice(0, 64))?.[1];
}
