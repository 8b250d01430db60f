import { REASONS, type BounceReason } from './reasons.ts';
import { BROAD_RULES, CERTAIN_RULES, KINDS, OWN_RULES, PROGRAM_RULES, WORDED_RULES } from './rules/all.ts';
import type { Command, Rule } from './rules/rule.ts';
import { ASKED_AGAIN, BY_REPLY_CODE, detail, isGeneral, reasonOfStatus, reasonOfSubject } from './statuses.ts';
import { Reading } from './words.ts';
import { AWAY } from './said/system.ts';

/** What is known of one failure; a live reply and a line of a report are the same thing here. */
export interface Evidence {
  /** The reply's text, or what the reporting system says itself. */
  text: Reading;
  /** Enhanced status (RFC 3463). */
  status?: string | undefined;
  replyCode?: number | undefined;
  command?: Command | undefined;
  /** Another server's answer, not the reporting system's own words. */
  quoted: boolean;
  /** Domains of the systems that speak, who is nearest to the recipient first. */
  systems?: readonly string[];
  /** Which programs or services the report may be of. */
  programs?: readonly string[];
  /** The report is not about a reply (RFC 3464 2.3.6: a diagnostic type other than `smtp`); lower case. */
  otherType?: string | undefined;
  /** What the program that has seen the session made of it. */
  told?: BounceReason | undefined;
  /** The report says that it is about a delay (RFC 3464 2.3.3). */
  delayed?: boolean;
}

export interface Finding {
  reason: BounceReason;
  /** `words` of the reply, a `status`, or only what is `left` when neither says much. */
  by: 'words' | 'status' | 'left';
  /** Not certain enough to stop writing to somebody. */
  weak: boolean;
}

/**
 * Says why it failed. First the sentences of programs and providers that are known; then statuses and words together, in
 * the order of what is most certain; then what the status says alone; last, single words that mostly mean one thing.
 */
export function classify(evidence: Evidence): Finding {
  return refined(decide(evidence), evidence.text);
}

function decide(evidence: Evidence): Finding {
  const told: Finding | undefined =
    find(PROGRAM_RULES, evidence) ?? (evidence.told && { reason: evidence.told, by: 'words', weak: true });
  if (told && !ASKED_AGAIN.has(told.reason)) return told;
  const own = find(OWN_RULES, evidence);
  if (own) return own;
  if (isReply(evidence)) {
    // What the reporting program says holds unless the words say something more certain.
    const certain = find(CERTAIN_RULES, evidence, told?.reason);
    if (certain) return certain;
  }
  if (told && told.reason !== 'unclear' && told.reason !== 'unsaid') return told;
  const named = reasonOfStatus(evidence.status);
  if (named && !ASKED_AGAIN.has(named) && isReply(evidence)) return { reason: named, by: 'status', weak: false };
  const worded = find(WORDED_RULES, evidence);
  if (worded) return worded;
  const stated = named ?? reasonOfSubject(evidence.status);
  if (stated) {
    // "Security" is said of everything; a word of what is held against us says more about what to do.
    const doubt = stated === 'security' ? suspect(evidence) : undefined;
    if (doubt && AGAINST_US.has(doubt.reason)) return { ...doubt, weak: true };
    return { reason: stated, by: 'status', weak: true };
  }
  const rest = left(evidence);
  return told && rest.reason === 'unclear' ? told : rest;
}

/** What single words say, without regard to who says them and where: a second opinion, never a first one. */
export function suspect(evidence: Evidence): Finding | undefined {
  return find(BROAD_RULES, evidence);
}

const AGAINST_US: ReadonlySet<BounceReason> = new Set<BounceReason>([
  'listed',
  'blocked',
  'greylisted',
  'reputation',
  'spam',
  'virus',
  'unauthenticated',
  'no-reverse-dns',
  'relaying-denied',
]);

function left(evidence: Evidence): Finding {
  const { text, command, otherType, replyCode } = evidence;
  const found = (reason: BounceReason): Finding => ({ reason, by: 'left', weak: true });
  if (otherType?.startsWith('x-unix')) return found('mailer');
  const digits = (replyCode ?? 0) % 100;
  if (replyCode !== undefined && replyCode >= 400 && digits > 0 && digits < 8) return found('protocol');
  if (evidence.delayed) return found('expired');
  // A server that turns a client away before it knows sender and recipient has something against the client.
  if (command === 'EHLO') return found('blocked');
  if (text.says(AWAY)) return found('auto-reply');
  // One word is not enough to say that nobody should write there again.
  const broad = suspect(evidence);
  if (broad && !REASONS[broad.reason].hard) return found(broad.reason);
  if (command === 'CONNECT') return found('blocked');
  return found(BY_REPLY_CODE[replyCode ?? 0] ?? (text.words.trim() === '' ? 'unsaid' : 'unclear'));
}

function refined(finding: Finding, text: Reading): Finding {
  const kind = KINDS.find(({ of, says }) => of === finding.reason && text.says(says));
  return kind ? { ...finding, reason: kind.reason } : finding;
}

function find(rules: readonly Rule[], evidence: Evidence, told?: BounceReason): Finding | undefined {
  const rule = rules.find((one) => one.reason === told || fits(one, evidence));
  if (!rule) return undefined;
  const isByStatus = rule.says === undefined && rule.code === undefined && rule.reason !== told;
  return { reason: rule.reason, by: isByStatus ? 'status' : 'words', weak: rule.weak === true };
}

function fits(rule: Rule, evidence: Evidence): boolean {
  const { status, text } = evidence;
  const about = status === undefined ? '' : detail(status);
  const command = evidence.command ?? 'unknown';
  if (rule.at && !rule.at.includes(command)) return false;
  if (rule.notAt?.includes(command)) return false;
  if (rule.stated && status === undefined) return false;
  if (rule.status && !rule.status.includes(about)) return false;
  if (rule.notStatus?.includes(about)) return false;
  if (rule.replyCode && !rule.replyCode.includes(evidence.replyCode ?? 0)) return false;
  if (rule.passing !== undefined && rule.passing !== isPassing(evidence)) return false;
  if (rule.general !== undefined && rule.general !== (status === undefined || isGeneral(status))) return false;
  if (rule.quoted !== undefined && rule.quoted !== evidence.quoted) return false;
  if (rule.named ?? rule.notNamed) {
    const named = reasonOfStatus(status) ?? 'none';
    if (rule.named && !rule.named.includes(named)) return false;
    if (rule.notNamed?.includes(named)) return false;
  }
  if (rule.from && !rule.from.some((one) => evidence.programs?.includes(one))) return false;
  if (rule.provider && !rule.provider.some((domain) => evidence.systems?.some((one) => isWithin(one, domain))))
    return false;
  if (rule.code && !rule.code.test(text.words)) return false;
  if (rule.besides !== undefined && !text.says(rule.besides)) return false;
  if (rule.unless !== undefined && text.says(rule.unless)) return false;
  return rule.says === undefined || text.says(rule.says);
}

const isReply = ({ otherType }: Evidence) => otherType === undefined || otherType === 'smtp';

/** Class 4 (RFC 3463 2): the status is believed before the reply code, since relays replace the code by their own. */
export function isPassing({ status, replyCode }: Pick<Evidence, 'status' | 'replyCode'>): boolean {
  if (status !== undefined) return status.startsWith('4.');
  return replyCode !== undefined && replyCode >= 400 && replyCode < 500;
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}
