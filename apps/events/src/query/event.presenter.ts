import type { EventDocument } from '../index/event.document.ts';
import type { DocumentPerson } from '../index/event.people.ts';

/**
 * An event in Mailgun's shape (mailgun-api §3); types matter, one wrong field fails a whole page in the Go SDK. `domainUrl`:
 * `<base>/v3/domains/{name}`.
 */
export function presentEvent(document: EventDocument, domainUrl: string): Record<string, unknown> {
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
    ...(document.severity ? { severity: document.severity, reason: document.reason } : {}),
    ...(document.status ? { 'delivery-status': deliveryStatus(document) } : {}),
  };
}

function logLevel({ event, severity }: EventDocument): string {
  if (event !== 'failed') return 'info';
  return severity === 'permanent' ? 'error' : 'warn';
}

function accepted(document: EventDocument): Record<string, unknown> {
  return {
    method: document.method,
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

function envelope(document: EventDocument): Record<string, string> {
  const sender = person(document, 'sender') ?? person(document, 'from');
  return {
    transport: document.event === 'accepted' ? (document.method ?? 'http') : 'smtp',
    sender: sender?.address ?? '',
    targets: document.recipient,
  };
}

function message(document: EventDocument): Record<string, unknown> {
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
function storage({ message: key }: EventDocument, domainUrl: string): Record<string, string> {
  return { url: `${domainUrl}/messages/${key}`, key, region: '', env: '' };
}

function deliveryStatus({ status }: EventDocument): Record<string, unknown> {
  if (!status) return {};
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
