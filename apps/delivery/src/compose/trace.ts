import type { MailAccepted } from '@lethe/contracts';
import { headerFields, mailDate } from '@lethe/mail';

/**
 * The trace header of RFC 5321 §4.4, from what everybody may know: no client address, no recipient. Its time is the time of
 * acceptance, so it is the same for every recipient and attempt.
 */
export function receivedHeader({ messageId, acceptedAt }: MailAccepted, by: string): Buffer {
  return Buffer.from(`Received: by ${by} (Lethe) id ${messageId};\r\n\t${mailDate(new Date(acceptedAt))}\r\n`);
}

/**
 * By which providers count complaints (Feedback-ID: up to three names, and the sender's). Opaque ids, the same for all mail of a domain:
 * what differs for each message or person would tell nobody anything, and somebody too much. A sender's own stays.
 */
export function feedbackHeader({ domainId, accountId }: MailAccepted, header: Buffer): Buffer {
  const has = headerFields(header).some(({ name }) => name === 'feedback-id');
  return has ? NO_HEADER : Buffer.from(`Feedback-ID: ${domainId}:${accountId}:lethe\r\n`);
}

/** Outside the signature: it says something about this copy, not about the message. */
export const MAYBE_DUPLICATE_HEADER = Buffer.from('X-Lethe-Delivery: maybe-duplicate\r\n');
export const NO_HEADER = Buffer.alloc(0);
