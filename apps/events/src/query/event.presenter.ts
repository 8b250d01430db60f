import type { Answer } from '@lethe/service';
import { z } from 'zod';
import type { DocumentStatus, EventDocument } from '../index/event.document.ts';
import type { DocumentPerson } from '../index/event.people.ts';

const deliveryShape = z.object({
  code: z.int(),
  message: z.string(),
  description: z.string(),
  'attempt-no': z.int(),
  'session-seconds': z.number(),
  tls: z.boolean(),
  'certificate-verified': z.boolean(),
  'mx-host': z.string(),
  'maybe-duplicate': z.boolean(),
  'enhanced-code': z.string().optional(),
  'retry-seconds': z.int().optional(),
});

export const eventShape = z.object({
  event: z.string(),
  id: z.string(),
  timestamp: z.number(),
  'log-level': z.enum(['info', 'warn', 'error']),
  recipient: z.string(),
  'recipient-domain': z.string(),
  tags: z.array(z.string()),
  campaigns: z.array(z.string()),
  'user-variables': z.unknown(),
  template: z.object({ name: z.string(), version: z.string() }).optional(),
  flags: z.record(z.string(), z.boolean()),
  envelope: z.object({ transport: z.string(), sender: z.string(), targets: z.string() }),
  message: z.object({
    headers: z.object({ to: z.string(), 'message-id': z.string(), from: z.string(), subject: z.string() }),
    attachments: z.array(z.object({ filename: z.string(), 'content-type': z.string(), size: z.int() })),
    recipients: z.array(z.string()),
    size: z.int(),
  }),
  storage: z.object({ url: z.string(), key: z.string(), region: z.string(), env: z.string() }),
  /** Of `accepted` alone, and the next two. */
  method: z.string().optional(),
  'api-key-id': z.string().optional(),
  'originating-ip': z.string().optional(),
  /** Of `failed` alone, and the next. */
  severity: z.enum(['permanent', 'temporary']).optional(),
  reason: z.string().optional(),
  'delivery-status': deliveryShape.optional(),
});
type ShownEvent = Answer<typeof eventShape>;

/**
 * An event in Mailgun's shape (mailgun-api §3); types matter, one wrong field fails a whole page in the Go SDK. `domainUrl`:
 * `<base>/v3/domains/{name}`.
 */
export function presentEvent(document: EventDocument, domainUrl: string): ShownEvent {
  return {
    event: document.event,
    id: document.id,
    timestamp: document.at / 1_000,
    'log-level': logLevel(document),
    recipient: document.recipient,
    'recipient-domain': document.recipient_domain,
    tags: document.tags,
    campaigns: [],
    'user-variables': JSON.parse(document.variables) as unknown,
    ...(document.template ? { template: document.template } : {}),
    flags: flags(document),
    envelope: envelope(document),
    message: message(document),
    storage: storage(document, domainUrl),
    ...(document.event === 'accepted' ? accepted(document) : {}),
    ...(document.severity ? { severity: document.severity, reason: document.reason ?? '' } : {}),
    ...(document.status ? { 'delivery-status': deliveryStatus(document.status) } : {}),
  };
}

function logLevel({ event, severity }: EventDocument): ShownEvent['log-level'] {
  if (event !== 'failed') return 'info';
  return severity === 'permanent' ? 'error' : 'warn';
}

function accepted(document: EventDocument): Pick<ShownEvent, 'method' | 'api-key-id' | 'originating-ip'> {
  return {
    ...(document.method ? { method: document.method } : {}),
    'api-key-id': document.key ?? '',
    ...(document.originating_ip ? { 'originating-ip': document.originating_ip } : {}),
  };
}

function flags(document: EventDocument): Record<string, boolean> {
  return {
    'is-authenticated': true,
    'is-routed': false,
    'is-system-test': false,
    'is-test-mode': document.test_mode,
    'is-big': false,
    'is-delayed-bounce': false,
  };
}

function envelope(document: EventDocument): ShownEvent['envelope'] {
  const sender = person(document, 'sender') ?? person(document, 'from');
  return {
    transport: document.event === 'accepted' ? (document.method ?? 'http') : 'smtp',
    sender: sender?.address ?? '',
    targets: document.recipient,
  };
}

function message(document: EventDocument): ShownEvent['message'] {
  return {
    headers: {
      to: document.to,
      'message-id': document.message_id,
      from: document.from,
      subject: document.message_subject,
    },
    attachments: document.attachments.map(({ filename, content_type, size }) => ({
      filename,
      'content-type': content_type,
      size,
    })),
    recipients: document.recipients,
    size: document.size,
  };
}

/** Where the message can be read while it is kept, which an event, kept longer, does not know. There is one region. */
function storage({ message: key }: EventDocument, domainUrl: string): ShownEvent['storage'] {
  return { url: `${domainUrl}/messages/${key}`, key, region: '', env: '' };
}

function deliveryStatus(status: DocumentStatus): ShownEvent['delivery-status'] {
  return {
    code: status.code,
    message: status.reply ?? '',
    description: '',
    'attempt-no': status.attempt,
    'session-seconds': status.session_seconds,
    tls: status.tls,
    'certificate-verified': status.certificate_verified ?? false,
    'mx-host': status.mx_host ?? '',
    'maybe-duplicate': status.maybe_duplicate,
    ...(status.enhanced_code ? { 'enhanced-code': status.enhanced_code } : {}),
    ...(status.retry_seconds === undefined ? {} : { 'retry-seconds': Math.round(status.retry_seconds) }),
  };
}

const person = (document: EventDocument, role: string): DocumentPerson | undefined =>
  document.people.find((one) => one.role === role);
