import { z } from 'zod';
import { bucket, code, id, sealed } from './fields.ts';
import { RETENTION, type EventClass, type RetentionClass } from './retention.ts';

const classes = Object.keys(RETENTION) as [RetentionClass, ...RetentionClass[]];
export const eventClass = () => code(['e1', 'e3', 'e7', 'e14', 'e30'] as const satisfies readonly EventClass[]);
export const period = () => z.object({ class: code(classes), bucket: bucket() });

/** How a recipient is addressed: `bcc` is never shown to anyone else, `each` gets a message of their own, which names nobody else. */
export const recipientRole = () => code(['to', 'cc', 'bcc', 'each']);

/** The one recipient a record is about. */
export const recipient = z.object({ subject: id(), role: recipientRole(), envelope: sealed('envelope') });
export type Recipient = z.infer<typeof recipient>;

/** Someone else in the message: sender, reply-to, other visible recipients (Art. 15(4) GDPR: others' data stay theirs). */
export const relatedPerson = z.object({
  role: code(['from', 'sender', 'reply-to', 'to', 'cc']),
  subject: id(),
  person: sealed('person'),
});
export type RelatedPerson = z.infer<typeof relatedPerson>;

/**
 * Visible recipients carried with every record of a message. More would make a 1,000-recipient message a million seals;
 * senders and reply-to are always carried. See docs/decisions/0005.
 */
export const MAX_RELATED_RECIPIENTS = 10;
