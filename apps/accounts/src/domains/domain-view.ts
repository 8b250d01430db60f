import { dkimRecord } from '../dkim/dkim-key-pair.ts';
import type { DkimKeyRow } from '../dkim/dkim-key.entity.ts';
import {
  receivingRecords,
  recordKey,
  sendingRecords,
  type Check,
  type DnsNames,
  type WantedRecord,
} from '../dns/dns-records.ts';
import type { Domain } from './domain.entity.ts';
import type { WholeDomain } from './domains.service.ts';

interface DnsRecord {
  record_type: string;
  name: string;
  value: string;
  /** Of an MX record; a string, as Mailgun's clients read it. */
  priority?: string;
  valid: Check;
  is_active: boolean;
  cached: string[];
}

export interface DomainView {
  message?: string;
  domain: Record<string, unknown>;
  receiving_dns_records: DnsRecord[];
  sending_dns_records: DnsRecord[];
}

export interface KeyItem {
  signing_domain: string;
  selector: string;
  algorithm: string;
  active: boolean;
  dns_record: DnsRecord;
}

/** A domain in Mailgun's shape. What is not served yet stands there with the value that says "off". */
export function domainItem(domain: Domain): Record<string, unknown> {
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
