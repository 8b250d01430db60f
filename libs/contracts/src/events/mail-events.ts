import { createHash } from 'node:crypto';
import { z } from 'zod';
import { code, count, duration, enhancedCode, flag, id, instant, literal, sealed } from '../fields.ts';
import { period, recipient, relatedPerson } from '../people.ts';

/** What every discrete event says. Its time is fixed when it is first published; a replay changes nothing. */
const common = {
  /** `eventId(…)`: deterministic, so replays are harmless. */
  id: id(),
  at: instant(),
  accountId: id(),
  domainId: id(),
  messageId: id(),
  ordinal: count(),
  /** The event's own class and bucket: names its index. */
  period: period(),
  size: count(),
  testMode: flag(),
  recipient,
  related: z.array(relatedPerson),
};

/** Reasons of a `failed` event, Mailgun's words (mailgun-api §3). */
export const FAILURE_REASONS = [
  'generic',
  'bounce',
  'hardfail',
  'old',
  'espblock',
  'greylisted',
  'blacklisted',
  'suppress-bounce',
  'suppress-unsubscribe',
  'suppress-complaint',
] as const;

const deliveryStatus = z.object({
  /** SMTP reply code (RFC 5321 §4.2), or a platform code: 605–607 suppressed, 650 test mode, 498 no answer. */
  code: count(),
  enhancedCode: enhancedCode().optional(),
  /** From 1. */
  attempt: count(),
  sessionSeconds: duration(),
  tls: flag(),
  /** The server's certificate proved that it is the one that was meant; events from before that was asked have no such field. */
  certificateVerified: flag().optional(),
  /** A crash made the outcome of an earlier attempt unknown, so this copy may be a second one. */
  maybeDuplicate: flag(),
  /** Seconds until the next attempt, for temporary failures. */
  retrySeconds: duration().optional(),
  /** What the server said, sealed under the recipient's key. */
  reply: sealed('reply').optional(),
});
export type DeliveryStatus = z.infer<typeof deliveryStatus>;

export const acceptedEvent = z.object({
  ...common,
  type: literal('accepted'),
  method: code(['http', 'smtp']),
  /** The API key or SMTP credential that handed it in. */
  keyId: id(),
});
export const deliveredEvent = z.object({ ...common, type: literal('delivered'), deliveryStatus });
export const failedEvent = z.object({
  ...common,
  type: literal('failed'),
  severity: code(['temporary', 'permanent']),
  reason: code(FAILURE_REASONS),
  /** The reply says that there is no such mailbox: nobody should write there again. */
  noSuchMailbox: flag(),
  deliveryStatus,
});

/** The recipient wants no more mail of the domain: said by the link in this message. Its envelope has what the link knows, and no more. */
export const unsubscribedEvent = z.object({ ...common, type: literal('unsubscribed') });

export const mailEvent = z.discriminatedUnion('type', [acceptedEvent, deliveredEvent, failedEvent, unsubscribedEvent]);
export type MailEvent = z.infer<typeof mailEvent>;
export type MailEventType = MailEvent['type'];
export type AcceptedEvent = z.infer<typeof acceptedEvent>;
export type DeliveredEvent = z.infer<typeof deliveredEvent>;
export type UnsubscribedEvent = z.infer<typeof unsubscribedEvent>;
export type FailedEvent = z.infer<typeof failedEvent>;

/**
 * Event id (design §5): the same outcome published twice is one event. `attempt` is 0 for `accepted` and `unsubscribed`. An attempt that
 * failed for now can be repeated after a crash, and fail for good then, because it expired or who it is for said stop: another outcome.
 */
export function eventId(
  messageId: string,
  ordinal: number,
  attempt: number,
  type: Exclude<MailEventType, 'failed'> | FailedEvent['severity'],
): string {
  const outcome = type === 'permanent' ? 'failed' : type;
  return createHash('sha256').update(`${messageId}/${ordinal}/${attempt}/${outcome}`).digest('base64url').slice(0, 22);
}
