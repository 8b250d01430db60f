import type { AcceptedEvent, DeliveryStatus, Envelope, FailedEvent, MailEvent, Person, Reply } from '@lethe/contracts';
import { peopleFields, type DocumentPerson } from './event.people.ts';

/**
 * An event as Elasticsearch holds it: the one place where people are in clear, because people search it. A projection of
 * `mail-events`, rebuilt by replay. Its fields are mapped, and marked, in `event.mapping.ts`.
 */
export interface EventDocument {
  readonly id: string;
  readonly at: number;
  readonly event: MailEvent['type'];
  readonly account: string;
  readonly domain: string;
  readonly message: string;
  readonly ordinal: number;
  readonly size: number;
  readonly test_mode: boolean;
  /** Subject ids of everyone mentioned. */
  readonly subjects: readonly string[];
  readonly recipient_subject: string;
  readonly recipient: string;
  readonly recipient_domain: string;
  readonly recipients: readonly string[];
  readonly people: readonly DocumentPerson[];
  readonly from: string;
  readonly to: string;
  readonly message_subject: string;
  readonly message_id: string;
  readonly attachments: ReadonlyArray<{ filename: string; content_type: string; size: number }>;
  readonly tags: readonly string[];
  /** JSON of `Envelope['variables']`. */
  readonly variables: string;
  readonly template?: { name: string; version: string };
  readonly method?: AcceptedEvent['method'];
  readonly key?: string;
  readonly originating_ip?: string;
  readonly severity?: FailedEvent['severity'];
  readonly reason?: FailedEvent['reason'];
  readonly status?: DocumentStatus;
}

export interface DocumentStatus {
  readonly code: number;
  readonly enhanced_code?: string;
  readonly attempt: number;
  readonly session_seconds: number;
  readonly tls: boolean;
  readonly certificate_verified?: boolean;
  readonly maybe_duplicate: boolean;
  readonly retry_seconds?: number;
  readonly reply?: string;
  readonly mx_host?: string;
}

export interface OpenedEvent {
  readonly event: MailEvent;
  readonly envelope: Envelope;
  /** In the order of `event.related`; `null` where that person has been forgotten. */
  readonly related: ReadonlyArray<Person | null>;
  readonly reply: Reply | null;
}

export function eventDocument({ event, envelope, related, reply }: OpenedEvent): EventDocument {
  const others = event.related.flatMap(({ role, subject }, index): DocumentPerson[] => {
    const person = related[index];
    return person ? [{ subject, role, address: person.address, ...(person.name ? { name: person.name } : {}) }] : [];
  });
  const own: DocumentPerson = {
    subject: event.recipient.subject,
    role: event.recipient.role,
    address: envelope.address,
    ...(envelope.name ? { name: envelope.name } : {}),
  };
  return {
    id: event.id,
    at: event.at,
    event: event.type,
    account: event.accountId,
    domain: event.domainId,
    message: event.messageId,
    ordinal: event.ordinal,
    size: event.size,
    test_mode: event.testMode,
    recipient_subject: own.subject,
    recipient: envelope.address,
    recipient_domain: envelope.address.slice(envelope.address.lastIndexOf('@') + 1).toLowerCase(),
    ...peopleFields(own, others),
    message_subject: envelope.subject,
    message_id: envelope.messageIdHeader,
    attachments: envelope.attachments.map(({ filename, contentType, size }) => ({
      filename,
      content_type: contentType,
      size,
    })),
    tags: envelope.tags,
    variables: JSON.stringify(envelope.variables),
    ...(envelope.template ? { template: { name: envelope.template.name, version: envelope.template.version } } : {}),
    ...(event.type === 'accepted' ? accepted(event, envelope) : {}),
    ...(event.type === 'failed' ? { severity: event.severity, reason: event.reason } : {}),
    ...('deliveryStatus' in event ? { status: status(event.deliveryStatus, reply) } : {}),
  };
}

function accepted(event: AcceptedEvent, envelope: Envelope): Partial<EventDocument> {
  const ip = envelope.originatingIp;
  return { method: event.method, key: event.keyId, ...(ip ? { originating_ip: ip } : {}) };
}

function status(from: DeliveryStatus, reply: Reply | null): DocumentStatus {
  return {
    code: from.code,
    ...(from.enhancedCode ? { enhanced_code: from.enhancedCode } : {}),
    attempt: from.attempt,
    session_seconds: from.sessionSeconds,
    tls: from.tls,
    ...(from.certificateVerified === undefined ? {} : { certificate_verified: from.certificateVerified }),
    maybe_duplicate: from.maybeDuplicate,
    ...(from.retrySeconds === undefined ? {} : { retry_seconds: from.retrySeconds }),
    ...(reply ? { reply: reply.text } : {}),
    ...(reply?.mxHost ? { mx_host: reply.mxHost } : {}),
  };
}
