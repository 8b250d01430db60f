import {
  receivingRecords,
  recordKey,
  sendingRecords,
  type Check,
  type DnsNames,
  type WantedRecord,
} from '../dns/dns-records.ts';
import type { Domain } from './domain.entity.ts';

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

/** A domain in Mailgun's shape. What is not served yet stands there with the value that says "off". */
export function domainItem(domain: Domain): Record<string, unknown> {
  return {
    id: domain.id,
    name: domain.name,
    state: domain.state,
    type: 'custom',
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
  };
}

/** The full view: the domain and what to publish in its DNS. */
export function domainView(domain: Domain, names: DnsNames, message?: string): DomainView {
  return {
    ...(message === undefined ? {} : { message }),
    domain: domainItem(domain),
    receiving_dns_records: receivingRecords(domain, names).map((record) => recordItem(domain, record)),
    sending_dns_records: sendingRecords(domain, names).map((record) => recordItem(domain, record)),
  };
}

/** `cached` would be what was found: it can name people (`rua=` of DMARC), so it is not kept. */
function recordItem(domain: Domain, record: WantedRecord): DnsRecord {
  const valid = (record.use === 'dkim' ? domain.dkimCheck : domain.dnsChecks[recordKey(record)]) ?? 'unknown';
  return {
    record_type: record.type,
    name: record.name,
    value: record.value,
    ...(record.type === 'MX' ? { priority: '10' } : {}),
    valid,
    is_active: valid === 'valid',
    cached: [],
  };
}
