import type { PersonalCategory } from '@lethe/contracts';

/**
 * Mapping of the event indices. Every field is made by one of these functions, so every field says whether it is personal
 * (`meta.personal`); `dynamic: strict` refuses a field that is not declared here.
 */
type Field = Record<string, unknown>;
const opaque = (type: string, more: Field = {}): Field => ({ type, ...more, meta: { personal: 'no' } });
const personal = (category: PersonalCategory, type: string, more: Field = {}): Field => ({
  type,
  ...more,
  meta: { personal: category },
});
const exact = { normalizer: 'lower', ignore_above: 1_024 };
const words = { analyzer: 'words', norms: false };

const person = {
  properties: {
    subject: opaque('keyword'),
    role: opaque('keyword'),
    address: personal('address', 'keyword', exact),
    name: personal('name', 'keyword', { ...exact, index: false, doc_values: false }),
  },
};

const attachment = {
  properties: {
    filename: personal('content', 'text', words),
    content_type: personal('content', 'keyword', exact),
    size: opaque('long'),
  },
};

const status = {
  properties: {
    code: opaque('integer'),
    enhanced_code: opaque('keyword'),
    attempt: opaque('integer'),
    session_seconds: opaque('float'),
    tls: opaque('boolean'),
    certificate_verified: opaque('boolean'),
    maybe_duplicate: opaque('boolean'),
    retry_seconds: opaque('long'),
    reply: personal('reply', 'text', { index: false }),
    mx_host: personal('network', 'keyword', { ...exact, index: false, doc_values: false }),
  },
};

export const EVENT_MAPPING = {
  dynamic: 'strict',
  properties: {
    id: opaque('keyword'),
    at: opaque('double'),
    '@timestamp': opaque('date', { format: 'epoch_millis' }),
    event: opaque('keyword', exact),
    account: opaque('keyword'),
    domain: opaque('keyword'),
    message: opaque('keyword'),
    ordinal: opaque('integer', { index: false }),
    size: opaque('long'),
    test_mode: opaque('boolean'),
    subjects: opaque('keyword'),
    recipient_subject: opaque('keyword'),
    recipient: personal('address', 'keyword', exact),
    recipient_domain: personal('address', 'keyword', exact),
    recipients: personal('address', 'keyword', exact),
    people: person,
    from: personal('address', 'text', words),
    to: personal('address', 'text', words),
    message_subject: personal('content', 'text', words),
    message_id: personal('content', 'keyword', exact),
    attachments: attachment,
    tags: personal('customer-typed', 'keyword', exact),
    // As JSON text: names, depth and types are the customer's, and not for Elasticsearch to read.
    variables: personal('customer-typed', 'text', { index: false }),
    template: {
      properties: {
        name: personal('customer-typed', 'keyword', exact),
        version: personal('customer-typed', 'keyword', exact),
      },
    },
    method: opaque('keyword'),
    key: opaque('keyword'),
    originating_ip: personal('network', 'ip'),
    severity: opaque('keyword', exact),
    reason: opaque('keyword', exact),
    status,
  },
} as const;

/** Words and whole addresses as single terms, case folded: how filters match (mailgun-api §3). */
export const EVENT_ANALYSIS = {
  analyzer: { words: { type: 'custom', tokenizer: 'uax_url_email', filter: ['lowercase'] } },
  normalizer: { lower: { type: 'custom', filter: ['lowercase'] } },
} as const;
