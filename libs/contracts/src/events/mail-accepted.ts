import { z } from 'zod';
import { count, flag, id, instant } from '../fields.ts';
import { eventClass, recipient, relatedPerson } from '../people.ts';

/** One recipient of one message, committed and ready to be sent: from `ingest` to `delivery`. */
export const mailAccepted = z.object({
  messageId: id(),
  /** Position among the message's recipients, from 0. */
  ordinal: count(),
  accountId: id(),
  domainId: id(),
  acceptedAt: instant(),
  /** No attempt starts later; the recipient then fails as `old`. Always before `dropAt`. */
  expiresAt: instant(),
  /** No attempt starts earlier (`o:deliverytime`); absent: at once. */
  deliverAt: instant().optional(),
  /** End of the body's life: names its partition in the body store and its content key. */
  dropAt: instant(),
  /** Retention class every event of this message is stamped with. */
  eventClass: eventClass(),
  /** Octets of the message as accepted. */
  size: count(),
  /** Accept and log, do not deliver (`o:testmode`). */
  testMode: flag(),
  /** Sign with the domain's DKIM key (`o:dkim`). */
  dkim: flag(),
  /** Refuse to send in clear (`o:require-tls`). */
  requireTls: flag(),
  /** It is sent with a link to unsubscribe by (RFC 8058), which is the recipient's own; absent: without. */
  unsubscribe: flag().optional(),
  /** Where TLS is required, whatever certificate is good enough (`o:skip-verification`); absent: as the domain says. */
  skipVerification: flag().optional(),
  /** It was handed in with the null reverse-path, and nobody is told if it cannot be delivered (RFC 5321 §4.5.5); absent: it was not. */
  nullSender: flag().optional(),
  /** Where nobody may read the message (retention 0): how many recipients it has. With the last one's end its content key goes. */
  shredAfter: count().optional(),
  recipient,
  related: z.array(relatedPerson),
});
export type MailAccepted = z.infer<typeof mailAccepted>;
