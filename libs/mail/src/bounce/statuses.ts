import type { BounceReason } from './reasons.ts';

/**
 * What an enhanced status says by itself (RFC 3463 3, the IANA registry of enhanced status codes), without its class.
 * `precise` ones are believed before the words of the reply; `vague` ones are used by many servers for whatever they like,
 * so that words come first.
 */
const precise: Record<string, BounceReason> = {
  '1.6': 'moved',
  '1.7': 'sender-refused',
  '1.8': 'sender-refused',
  '1.10': 'takes-no-mail', // RFC 7505
  '2.2': 'mailbox-full',
  '2.3': 'too-large-for-recipient',
  '3.4': 'too-large',
  '7.13': 'disabled', // RFC 5248
  '7.16': 'too-large', // RFC 6710
  '7.17': 'moved', // RFC 7293
  '7.18': 'moved',
  '7.20': 'unauthenticated', // RFC 7372, up to 7.26
  '7.21': 'unauthenticated',
  '7.22': 'unauthenticated',
  '7.23': 'unauthenticated',
  '7.24': 'unauthenticated',
  '7.25': 'no-reverse-dns',
  '7.26': 'unauthenticated',
  '7.29': 'unauthenticated', // RFC 8617
  '7.30': 'tls', // RFC 8689
};

const vague: Record<string, BounceReason> = {
  '1.0': 'unknown-user',
  '1.1': 'unknown-user',
  '1.2': 'unknown-host',
  '1.3': 'unknown-user',
  '1.4': 'filtered',
  '1.9': 'system',
  '2.0': 'filtered',
  '2.1': 'filtered',
  '2.4': 'filtered',
  '3.0': 'system',
  '3.1': 'system-full',
  '3.2': 'takes-no-mail',
  '3.3': 'system',
  '3.5': 'system',
  '4.0': 'network',
  '4.1': 'expired',
  '4.2': 'network',
  '4.3': 'system',
  '4.4': 'unknown-host',
  '4.5': 'system-full',
  '4.6': 'loop',
  '4.7': 'expired',
  '4.8': 'network',
  // Exchange Online.
  '4.11': 'loop',
  '4.14': 'loop',
  '4.300': 'expired',
  '4.310': 'unknown-host',
  '4.312': 'dns',
  '4.316': 'network',
  '5.1': 'protocol',
  '5.2': 'protocol',
  '5.3': 'rate-limited',
  '5.4': 'system',
  '5.5': 'system',
  '5.6': 'protocol',
  '7.27': 'sender-refused', // RFC 7505 4.2: the sender's domain takes no mail
  '7.28': 'too-fast',
};

/** A passing failure under some statuses means something else. */
const passing: Record<string, BounceReason> = {
  '2.1': 'blocked',
  '4.4': 'dns',
  '5.3': 'system',
  '7.1': 'blocked',
  '7.2': 'blocked',
};

/** Subjects (RFC 3463 2) for a detail nobody has named. */
const subjects: Record<string, BounceReason> = { '6': 'content', '7': 'security' };

export const preciseReason = (status: string): BounceReason | undefined => precise[detail(status)];

export function vagueReason(status: string): BounceReason | undefined {
  const about = detail(status);
  return (status.startsWith('4.') ? passing[about] : undefined) ?? vague[about] ?? subjects[about.split('.')[0] ?? ''];
}

/** Subject and detail: `1.1` of `5.1.1`. */
export const detail = (status: string): string => status.slice(2);

/** Whether a status says more than its class and subject. */
export function isSpecific(status: string): boolean {
  return !/^[245]\.\d\.0$/.test(status) || /^[45]\.[26]\.0$/.test(status);
}
