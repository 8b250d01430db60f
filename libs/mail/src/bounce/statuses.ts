import type { BounceReason } from './reasons.ts';

/**
 * What an enhanced status says by itself (RFC 3463 3 and the IANA registry of enhanced status codes), by class, since many
 * mean something else as a passing failure. A status that is not here says nothing; for some of these the reply's words are
 * asked first (`ASKED_AGAIN`).
 *
 * Which reason belongs to which status follows sisimai (BSD 2-Clause, see NOTICE).
 */
const MEANS: Partial<Record<BounceReason, string>> = {
  'unknown-user': '5.1.0 5.1.1 5.1.3',
  'unknown-host': '5.1.2 5.4.4',
  moved: '4.1.6 5.1.6 5.7.17 5.7.18',
  'takes-no-mail': '4.3.2 5.1.10 5.3.2 5.7.27', // RFC 7505
  'mailbox-full': '4.2.2 5.2.2',
  disabled: '5.7.13', // RFC 5248
  filtered: '4.2.4 5.1.4 5.2.0 5.2.1 5.2.4',
  'too-large-for-recipient': '4.2.3 5.2.3',
  'too-large': '5.3.4 4.7.16 5.7.16', // RFC 6710
  'sender-refused': '4.1.7 4.1.8 5.1.7 5.1.8',
  blocked: '4.2.1 4.7.1 4.7.2',
  'no-reverse-dns': '4.7.25 5.7.25', // RFC 7372
  unauthenticated: '4.7.24 4.7.26 5.7.20 5.7.21 5.7.22 5.7.23 5.7.24 5.7.26 5.7.29', // RFC 7372, RFC 8617
  spam: '5.7.28',
  tls: '5.7.30', // RFC 8689
  'rate-limited': '5.5.3',
  'system-full': '4.3.1 4.4.5 5.3.1',
  expired: '4.4.1 4.4.7',
  network: '4.4.2 4.4.4 4.4.8 5.4.0',
  loop: '4.4.6',
  protocol: '5.5.2 5.5.6',
  system: `4.1.9 4.3.3 4.3.5 4.4.3 4.5.3 4.5.5 5.1.9 5.3.0 5.3.3 5.3.5 5.4.3 5.5.4 5.5.5`,
  content: '4.6.0 4.6.2 4.6.5 5.6.0 5.6.1 5.6.2 5.6.3 5.6.5 5.6.6 5.6.7 5.6.8 5.6.9',
  security: `4.7.5 4.7.6 4.7.7 4.7.12 4.7.15 5.7.0 5.7.1 5.7.2 5.7.3 5.7.4 5.7.5 5.7.6 5.7.7 5.7.8 5.7.9 5.7.10 5.7.11
    5.7.14 5.7.15 5.7.19`,
};

const BY_STATUS = new Map<string, BounceReason>();
for (const [reason, statuses] of Object.entries(MEANS) as [BounceReason, string][]) {
  for (const status of statuses.split(/\s+/)) BY_STATUS.set(status, reason);
}

export const reasonOfStatus = (status: string | undefined): BounceReason | undefined =>
  status === undefined ? undefined : BY_STATUS.get(status);

/** Reasons that are told so often when another one is meant that the words of the reply are asked before they are believed. */
export const ASKED_AGAIN: ReadonlySet<BounceReason> = new Set<BounceReason>([
  'unclear',
  'unsaid',
  'system',
  'security',
  'expired',
  'network',
  'loop',
  'dns',
  'unknown-host',
  'unknown-user',
]);

/** What a status says when its number is not known: its subject (RFC 3463 2). */
export function reasonOfSubject(status: string | undefined): BounceReason | undefined {
  if (/^[45]\.6\./.test(status ?? '')) return 'content';
  return /^[45]\.7\./.test(status ?? '') ? 'security' : undefined;
}

/**
 * What a reply code says by itself, where neither words nor a status say anything (RFC 5321 4.2.3, RFC 4954 6, RFC 5248,
 * RFC 7504).
 */
export const BY_REPLY_CODE: Readonly<Record<number, BounceReason>> = {
  422: 'security',
  432: 'security',
  451: 'system',
  452: 'system-full',
  500: 'protocol',
  501: 'protocol',
  502: 'protocol',
  503: 'protocol',
  504: 'protocol',
  521: 'takes-no-mail',
  523: 'security',
  524: 'security',
  525: 'security',
  534: 'security',
  535: 'security',
  538: 'security',
  552: 'mailbox-full',
  556: 'takes-no-mail',
};

/** Subject and detail: `1.1` of `5.1.1`. */
export const detail = (status: string): string => status.slice(2);

/** Whether a status says no more than its class and subject. */
export const isGeneral = (status: string): boolean => status.includes('.0');

/** Every reason that some status has. */
export const NAMED_REASONS: readonly BounceReason[] = [...new Set(BY_STATUS.values())];

const VAGUE = /^(?:4\.4\.7|4\.7\.0|5\.3\.\d{1,3}|[45]\.5\.[1245])$/;

/**
 * Which of two statuses says more: the one of the report's `Status` field or the one in the reply that it quotes. They
 * differ because some reporters say 5.1.1 of whatever RCPT was refused for, and others 5.0.0 of everything.
 */
export function preferredStatus(
  field: string | undefined,
  quoted: string | undefined,
  code?: number,
): string | undefined {
  if (field === undefined || field === '') return quoted;
  if (quoted === undefined || quoted === '' || quoted === field) return field;
  if (code !== undefined && field[0] !== quoted[0]) {
    const first = String(code)[0];
    if (first === field[0]) return field;
    if (first === quoted[0]) return quoted;
  }
  if (field.slice(1) === '.0.0') return quoted.slice(1) === '.0.0' ? field : quoted;
  if (isGeneral(field) && !isGeneral(quoted)) return quoted;
  if (quoted.slice(1) === '.0.0') return field;
  if (VAGUE.test(field)) return quoted;
  if (field === '5.1.1') return isGeneral(quoted) || quoted.startsWith('5.5.') ? field : quoted;
  if (field === '5.1.3' && quoted.startsWith('5.7.')) return quoted;
  return field;
}
