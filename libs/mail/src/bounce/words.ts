import { maskAddresses } from '../reply/mask.ts';

/** What a rule is held against: lower case, words apart by one blank, one blank at either end. */
export type Words = string;

/** As much of a text as a reason is looked for in. */
export const MAX_TEXT = 8192;
/** How far apart, in characters, the halves of a phrase with a gap may be. */
const MAX_GAP = 60;

const REPLY_CODE = /^[245]\d\d$/;
const ENHANCED_CODE = /^[245]\.\d{1,3}\.\d{1,3}$/;
const CODES = /^[245]\d\d[-_ ]?[245]\.\d{1,3}\.\d{1,3}$/;

/**
 * The words of a reply. Addresses go, since they may read like anything; so do the codes that every line of a long reply
 * repeats in the middle of its sentence, and what follows the # of a link, which names a page and not what happened.
 */
export function wordsOf(text: string): Words {
  // Sendmail's dots between an address and what is said of it belong to neither.
  const kept = maskAddresses(text.slice(0, MAX_TEXT).replaceAll('...', ' '), { maxLength: MAX_TEXT })
    .replaceAll('<recipient>', ' someone ')
    .split(/\s+/)
    .map((word) => (word.includes('://') ? word.split('#', 1)[0] : word))
    .filter((word) => !isCode(trimPunctuation(word ?? '')));
  return normalise(kept.join(' '));
}

/** The same form for the phrases of a rule. */
export function normalise(text: string): Words {
  const plain = text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}'’`]+/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  return ` ${plain} `;
}

/** A phrase prepared for comparing: its parts stand in this order, near each other. */
export type Phrase = readonly Words[];

/** `…` stands for some words in between; a phrase of letters without blanks between words (Japanese) is found anywhere. */
export function phrase(text: string): Phrase {
  return text.split('…').map((part) => {
    const words = normalise(part);
    return /[^\p{ASCII}]/u.test(words.trim()) ? words.trim() : words;
  });
}

/** Linear in the text for each phrase: nothing is tried twice but the gap's end. */
export function says(words: Words, [first = '', ...rest]: Phrase): boolean {
  for (let at = words.indexOf(first); at >= 0; at = words.indexOf(first, at + 1)) {
    // The blank that ends one part may begin the next.
    let end = at + first.length - 1;
    const near = rest.every((part) => {
      const found = words.slice(end, end + MAX_GAP + part.length).indexOf(part);
      if (found < 0) return false;
      end += found + part.length - 1;
      return true;
    });
    if (near) return true;
  }
  return false;
}

/** A text that rules are held against: whatever one of them has asked is not looked for again. */
export class Reading {
  readonly words: Words;
  private readonly answers = new Map<string, boolean>();

  constructor(text: string) {
    this.words = wordsOf(text);
  }

  /** Whether one of the phrases between bars stands in it. */
  says(phrases: string): boolean {
    const known = this.answers.get(phrases);
    if (known !== undefined) return known;
    const answer = phrasesOf(phrases).some((one) => says(this.words, one));
    this.answers.set(phrases, answer);
    return answer;
  }
}

const PHRASES = new Map<string, readonly Phrase[]>();

/** Rules are data that is there when the program starts: each list is prepared once, when it is first asked. */
export function phrasesOf(list: string): readonly Phrase[] {
  const known = PHRASES.get(list);
  if (known) return known;
  const phrases = list.split('|').map(phrase);
  PHRASES.set(list, phrases);
  return phrases;
}

function isCode(word: string): boolean {
  return REPLY_CODE.test(word) || ENHANCED_CODE.test(word) || CODES.test(word);
}

export function trimPunctuation(word: string): string {
  return word.replace(/^[^\p{L}\p{N}]{1,8}/u, '').replace(/[^\p{L}\p{N}]{1,8}$/u, '');
}

/** Codes that stand as words of their own: of replies (RFC 5321 4.2), and enhanced ones (RFC 3463). */
export interface Codes {
  /** The first one of a failure; a session's good answers say nothing about what failed in it. */
  replyCode: number | undefined;
  replyCodes: number[];
  statuses: string[];
}

export function codesIn(text: string): Codes {
  const replyCodes: number[] = [];
  const statuses: string[] = [];
  for (const raw of text.slice(0, MAX_TEXT).split(/[\s,;:=<>()[\]"']+/)) {
    const word = trimPunctuation(raw);
    const [code, status] = CODES.test(word) ? [word.slice(0, 3), word.slice(4)] : [word, word];
    if (REPLY_CODE.test(code)) replyCodes.push(Number(code));
    if (ENHANCED_CODE.test(status)) statuses.push(status);
  }
  return { replyCode: replyCodes.find((code) => code >= 400) ?? replyCodes[0], replyCodes, statuses };
}
