import type { BounceReason } from './reasons.ts';
import { FIRST_RULES, RULES, type PreparedRule } from './rules/all.ts';
import type { Command } from './rules/rule.ts';
import { detail, preciseReason, vagueReason } from './statuses.ts';
import { says, wordsOf, type Words } from './words.ts';

/** What is known of one failure; a live reply and a line of a report are the same thing here. */
export interface Evidence {
  /** The reply's text, or what the reporting system says itself. */
  text: string;
  /** Enhanced status (RFC 3463). */
  status?: string | undefined;
  replyCode?: number | undefined;
  command?: Command | undefined;
  /** Another server's answer, not the reporting system's own words. */
  quoted: boolean;
  /** Domains of the systems that speak. */
  systems?: readonly string[];
}

export interface Finding {
  reason: BounceReason;
  /** `words` of the reply, a precise `status`, or only what is `left` when neither says much. */
  by: 'words' | 'status' | 'left';
  /** Not certain enough to stop writing to somebody. */
  weak: boolean;
}

/** The first rule that fits; where none does, what the status, then the place in the session says. */
export function classify(evidence: Evidence): Finding {
  const words = wordsOf(evidence.text);
  const first = find(FIRST_RULES, evidence, words);
  if (first) return first;
  const precise = evidence.status === undefined ? undefined : preciseReason(evidence.status);
  if (precise) return { reason: precise, by: 'status', weak: false };
  const rule = find(RULES, evidence, words);
  if (rule) return rule;
  const reason = left(evidence, words);
  return { reason, by: 'left', weak: true };
}

function find(rules: readonly PreparedRule[], evidence: Evidence, words: Words): Finding | undefined {
  const rule = rules.find((one) => fits(one, evidence, words));
  return rule && { reason: rule.reason, by: 'words', weak: rule.weak === true };
}

function fits(rule: PreparedRule, evidence: Evidence, words: Words): boolean {
  const about = evidence.status === undefined ? '' : detail(evidence.status);
  if (rule.at && !rule.at.includes(evidence.command ?? 'unknown')) return false;
  if (rule.status && !rule.status.includes(about)) return false;
  if (rule.notStatus?.includes(about)) return false;
  if (rule.replyCode && !rule.replyCode.includes(evidence.replyCode ?? 0)) return false;
  if (rule.passing !== undefined && rule.passing !== isPassing(evidence)) return false;
  if (rule.quoted !== undefined && rule.quoted !== evidence.quoted) return false;
  if (rule.provider && !rule.provider.some((domain) => evidence.systems?.some((one) => isWithin(one, domain))))
    return false;
  return rule.phrases.length === 0 || rule.phrases.some((phrase) => says(words, phrase));
}

function left({ status, command }: Evidence, words: Words): BounceReason {
  const told = status === undefined ? undefined : vagueReason(status);
  if (told) return told;
  // A server that turns a client away before it knows sender and recipient has something against the client.
  if (command === 'CONNECT' || command === 'EHLO') return 'blocked';
  return words.trim() === '' ? 'unsaid' : 'unclear';
}

/** Class 4 (RFC 3463 2): the status is believed before the reply code, since relays replace the code by their own. */
export function isPassing({ status, replyCode }: Pick<Evidence, 'status' | 'replyCode'>): boolean {
  if (status !== undefined) return status.startsWith('4.');
  return replyCode !== undefined && replyCode >= 400 && replyCode < 500;
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}
