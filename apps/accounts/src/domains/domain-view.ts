import type { AccountsConfig } from '../config.ts';
import { dkimRecord } from './dkim-key-pair.ts';
import type { Domain } from './domain.entity.ts';

interface DnsRecord {
  record_type: string;
  name: string;
  value: string;
  valid: 'valid' | 'unknown' | 'invalid';
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
    spam_action: 'disabled',
    wildcard: false,
    require_tls: false,
    skip_verification: false,
    web_prefix: 'email',
    web_scheme: 'https',
    tracking_host: `email.${domain.name}`,
    use_automatic_sender_security: false,
    encrypt_incoming_message: false,
    message_ttl: domain.bodiesDays * 86_400,
  };
}

/** The full view: the domain and what to publish in its DNS. */
export function domainView(domain: Domain, config: Pick<AccountsConfig, 'SPF_RECORD'>, message?: string): DomainView {
  const { name, value } = dkimRecord(domain.name, domain.dkimSelector, domain.dkimPublicKey);
  const sending = [txt(name, value, domain.dkimCheck)];
  if (config.SPF_RECORD !== undefined) sending.push(txt(domain.name, config.SPF_RECORD, 'unknown'));
  return {
    ...(message === undefined ? {} : { message }),
    domain: domainItem(domain),
    receiving_dns_records: [],
    sending_dns_records: sending,
  };
}

function txt(name: string, value: string, valid: DnsRecord['valid']): DnsRecord {
  return { record_type: 'TXT', name, value, valid, is_active: valid === 'valid', cached: [] };
}
