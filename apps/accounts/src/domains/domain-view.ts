import { z } from 'zod';
import { dkimRecord } from '../dkim/dkim-key-pair.ts';
import type { DkimKeyRow } from '../dkim/dkim-key.entity.ts';
import {
  receivingRecords,
  recordKey,
  sendingRecords,
  CHECKS,
  type Check,
  type DnsNames,
  type WantedRecord,
} from '../dns/dns-records.ts';
import type { Domain } from './domain.entity.ts';
import type { WholeDomain } from './domains.service.ts';

const dnsRecord = z.object({
  record_type: z.string(),
  name: z.string(),
  value: z.string(),
  /** Of an MX record; a string, as Mailgun's clients read it. */
  priority: z.string().optional(),
  valid: z.enum(CHECKS),
  is_active: z.boolean(),
  cached: z.array(z.string()),
});
type DnsRecord = z.infer<typeof dnsRecord>;

export const domainShape = z.object({
  id: z.uuid(),
  name: z.string(),
  state: z.enum(['active', 'unverified', 'disabled']),
  type: z.enum(['sandbox', 'custom']),
  created_at: z.string(),
  is_disabled: z.boolean(),
  smtp_login: z.string(),
  spam_action: z.enum(['disabled', 'block', 'tag']),
  wildcard: z.boolean(),
  require_tls: z.boolean(),
  skip_verification: z.boolean(),
  web_prefix: z.string(),
  web_scheme: z.enum(['http', 'https']),
  tracking_host: z.string(),
  use_automatic_sender_security: z.boolean(),
  encrypt_incoming_message: z.boolean(),
  message_ttl: z.int(),
  message_expiry: z.int(),
  day_limit: z.int().nullable(),
  month_limit: z.int().nullable(),
});

export const wholeDomain = z.object({
  message: z.string().optional(),
  domain: domainShape,
  receiving_dns_records: z.array(dnsRecord),
  sending_dns_records: z.array(dnsRecord),
});
export type DomainView = z.infer<typeof wholeDomain>;

export const keyShape = z.object({
  signing_domain: z.string(),
  selector: z.string(),
  algorithm: z.string(),
  active: z.boolean(),
  dns_record: dnsRecord,
});
export type KeyItem = z.infer<typeof keyShape>;

export const sendingRecordsShape = z.object({
  message: z.string(),
  changed: z.boolean(),
  sending_dns_records: z.array(dnsRecord),
});

/** A domain in Mailgun's shape. What is not served yet stands there with the value that says "off". */
export function domainItem(domain: Domain): z.infer<typeof domainShape> {
  return {
    id: domain.id,
    name: domain.name,
    state: domain.state,
    type: domain.sandbox ? 'sandbox' : 'custom',
    created_at: domain.createdAt.toUTCString(),
    is_disabled: domain.state === 'disabled',
    smtp_login: `postmaster@${domain.name}`,
    spam_action: domain.spamAction,
    wildcard: domain.wildcard,
    require_tls: domain.requireTls,
    skip_verification: domain.skipVerification,
    web_prefix: domain.webPrefix,
    web_scheme: domain.webScheme,
    tracking_host: `${domain.webPrefix}.${domain.name}`,
    use_automatic_sender_security: false,
    encrypt_incoming_message: false,
    message_ttl: domain.bodiesDays * 86_400,
    message_expiry: domain.expirySeconds ?? 0,
    day_limit: domain.dayLimit,
    month_limit: domain.monthLimit,
  };
}

/** The full view: the domain and what to publish in its DNS. A DKIM key is shown until it is removed. */
export function domainView({ domain, keys }: WholeDomain, names: DnsNames, message?: string): DomainView {
  const other = (record: WantedRecord): DnsRecord =>
    recordItem(record, domain.dnsChecks[recordKey(record)] ?? 'unknown');
  return {
    ...(message === undefined ? {} : { message }),
    domain: domainItem(domain),
    receiving_dns_records: receivingRecords(domain, names).map(other),
    sending_dns_records: [
      ...keys.map((key) => keyItem(domain, key).dns_record),
      ...sendingRecords(domain, names).map(other),
    ],
  };
}

/** A DKIM key in Mailgun's shape, and whether mail may be signed with it. */
export function keyItem({ name }: Domain, key: DkimKeyRow): KeyItem {
  const { selector, algorithm, active, dnsCheck } = key;
  const record = { use: 'dkim', type: 'TXT', ...dkimRecord(name, key) } as const;
  return { signing_domain: name, selector, algorithm, active, dns_record: recordItem(record, dnsCheck, active) };
}

/** `cached` would be what was found: it can name people (`rua=` of DMARC), so it is not kept. */
function recordItem({ type, name, value }: WantedRecord, valid: Check, active = true): DnsRecord {
  return {
    record_type: type,
    name,
    value,
    ...(type === 'MX' ? { priority: '10' } : {}),
    valid,
    is_active: active && valid === 'valid',
    cached: [],
  };
}
