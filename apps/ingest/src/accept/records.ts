import {
  eventId,
  MAX_RELATED_RECIPIENTS,
  periodOf,
  type AcceptedEvent,
  type DomainSettings,
  type MailAccepted,
  type Recipient,
  type RelatedPerson,
} from '@lethe/contracts';
import type { Deadlines } from './deadlines.ts';
import type { Submission } from './submission.ts';

/** A message with everything personal sealed: all that is stored and published of it besides its body. */
export interface SealedMessage {
  readonly id: string;
  readonly acceptedAt: number;
  readonly size: number;
  readonly domain: DomainSettings;
  readonly deadlines: Deadlines;
  readonly recipients: readonly Recipient[];
  /** Partition of `mail-accepted` by recipient. */
  readonly partitions: readonly number[];
  /** Senders and reply-to. */
  readonly senders: readonly RelatedPerson[];
  /** Whom the message names besides. They are in no record: who is not sent it is nobody's correspondent. */
  readonly named: readonly RelatedPerson[];
  /** The first visible recipients, for the others' records; at most `MAX_RELATED_RECIPIENTS`. */
  readonly visible: ReadonlyArray<RelatedPerson & { ordinal: number }>;
  readonly submission: Pick<
    Submission,
    'testMode' | 'dkim' | 'requireTls' | 'skipVerification' | 'unsubscribe' | 'nullSender' | 'method' | 'keyId'
  >;
}

/** Everyone a recipient's record mentions besides that recipient. A blind recipient is in nobody's record but their own. */
function relatedTo(message: SealedMessage, ordinal: number): RelatedPerson[] {
  const others = message.visible.filter((person) => person.ordinal !== ordinal).slice(0, MAX_RELATED_RECIPIENTS);
  return [...message.senders, ...others.map(({ role, subject, person }) => ({ role, subject, person }))];
}

/** The record that makes delivery send to one recipient. */
export function mailAcceptedRecord(message: SealedMessage, ordinal: number): MailAccepted {
  const { id, acceptedAt, size, domain, deadlines, submission } = message;
  return {
    messageId: id,
    ordinal,
    accountId: domain.accountId,
    domainId: domain.domainId,
    acceptedAt,
    expiresAt: deadlines.expiresAt,
    ...(deadlines.deliverAt === undefined ? {} : { deliverAt: deadlines.deliverAt }),
    dropAt: deadlines.dropAt.getTime(),
    eventClass: deadlines.eventClass,
    size,
    testMode: submission.testMode,
    dkim: submission.dkim,
    requireTls: submission.requireTls,
    ...((submission.unsubscribe ?? domain.unsubscribeTracking) ? { unsubscribe: true } : {}),
    ...(submission.skipVerification === undefined ? {} : { skipVerification: submission.skipVerification }),
    ...(submission.nullSender ? { nullSender: true } : {}),
    ...(domain.bodiesDays === 0 ? { shredAfter: message.recipients.length } : {}),
    recipient: message.recipients[ordinal] as Recipient,
    related: relatedTo(message, ordinal),
  };
}

export function acceptedEventRecord(message: SealedMessage, ordinal: number): AcceptedEvent {
  const { id, acceptedAt, size, domain, deadlines, submission } = message;
  return {
    id: eventId(id, ordinal, 0, 'accepted'),
    type: 'accepted',
    at: acceptedAt,
    accountId: domain.accountId,
    domainId: domain.domainId,
    messageId: id,
    ordinal,
    period: periodOf(deadlines.eventClass, acceptedAt),
    size,
    testMode: submission.testMode,
    recipient: message.recipients[ordinal] as Recipient,
    related: relatedTo(message, ordinal),
    method: submission.method,
    keyId: submission.keyId,
  };
}
