/** Mailgun's reasons of a `failed` event that a reply can have; the other ones are not decided by a reply. */
export type FailureReason = 'generic' | 'bounce' | 'espblock' | 'greylisted' | 'blacklisted';

export interface ReplyClass {
  severity: 'temporary' | 'permanent';
  reason: FailureReason;
  /** The mailbox or its domain does not exist: nobody should write there again. */
  noSuchMailbox: boolean;
}

const MAX_TEXT = 2048;

/** RFC 3463 3.2: addressing status that says "there is no such destination". 1.10 is the null MX of RFC 7505. */
const NO_SUCH_STATUS = new Set(['1.1', '1.2', '1.3', '1.6', '1.10']);
const NO_SUCH_WORDS = [
  'user unknown',
  'unknown user',
  'no such user',
  'no such mailbox',
  'no such recipient',
  'does not exist',
  "doesn't exist",
  'recipient not found',
  'user not found',
  'mailbox not found',
  'unknown recipient',
  'invalid recipient',
  'recipient address rejected: undeliverable',
];
const LISTED_WORDS = [
  'blacklist',
  'blocklist',
  'black list',
  'block list',
  'dnsbl',
  'rbl',
  'spamhaus',
  'barracuda',
  'listed by',
];
const BLOCKED_WORDS = ['spam', 'blocked', 'reputation', 'policy', 'too many', 'rate limit', 'unsolicited'];
const GREYLIST_WORDS = ['greylist', 'graylist', 'grey list', 'gray list', 'greylisted'];

/**
 * What a negative reply means. `code` is the three-digit code (RFC 5321 4.2.1), which alone decides the severity; `enhanced`
 * is RFC 3463's, read from the text where it is not given. `text` is the whole reply, unmasked; it is not kept.
 */
export function classifyReply(code: number, enhanced: string | undefined, text: string): ReplyClass {
  const severity = code >= 500 ? 'permanent' : 'temporary';
  const words = text.slice(0, MAX_TEXT).toLowerCase();
  const status = (enhanced ?? enhancedCode(text) ?? '').split('.').slice(1).join('.');
  const has = (list: readonly string[]) => list.some((word) => words.includes(word));
  if (severity === 'temporary') {
    const reason = has(GREYLIST_WORDS) ? 'greylisted' : has(LISTED_WORDS) ? 'blacklisted' : 'generic';
    return { severity, reason, noSuchMailbox: false };
  }
  if (status.startsWith('7.') || (status === '' && (has(LISTED_WORDS) || has(BLOCKED_WORDS)))) {
    const reason = has(LISTED_WORDS) ? 'blacklisted' : has(BLOCKED_WORDS) ? 'espblock' : 'bounce';
    return { severity, reason, noSuchMailbox: false };
  }
  const noSuchMailbox = NO_SUCH_STATUS.has(status) || ([550, 551, 553].includes(code) && has(NO_SUCH_WORDS));
  return { severity, reason: 'bounce', noSuchMailbox };
}

/** The enhanced status code (RFC 2034 4) at the beginning of a reply's text, if there is one. */
export function enhancedCode(text: string): string | undefined {
  return /^\s*(?:\d{3}[ -])?([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/.exec(text.slice(0, 64))?.[1];
}
