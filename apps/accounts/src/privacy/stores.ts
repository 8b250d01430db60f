import { column, type StoreDeclaration } from '@lethe/contracts';

const { opaque, instant, count, code, flag, publicName, sealed } = column;
const owner = 'accounts' as const;
const kind = 'table' as const;
const ACCOUNT = { until: 'the account is closed' } as const;

/** Every table of this service's database (design §8): what it has is the account's, nothing is about a person. */
export const STORES: readonly StoreDeclaration[] = [
  {
    store: 'accounts.account',
    owner,
    kind,
    what: 'customers, by id, and whether they may send',
    limit: ACCOUNT,
    table: 'public.account',
    columns: { id: opaque, state: code, created_at: instant },
  },
  {
    store: 'accounts.domain',
    owner,
    kind,
    what: 'sending domains with their DKIM keys, the private part sealed under the account',
    limit: { until: 'the domain is removed or the account is closed' },
    table: 'public.domain',
    columns: {
      id: opaque,
      account_id: opaque,
      name: publicName,
      state: code,
      dkim_selector: publicName,
      dkim_public_key: publicName,
      dkim_private_key: sealed('dkim-key'),
      dkim_check: code,
      dns_checks: code,
      bodies_days: count,
      events_days: count,
      web_scheme: code,
      web_prefix: publicName,
      wildcard: flag,
      spam_action: code,
      created_at: instant,
    },
  },
  {
    store: 'accounts.api_key',
    owner,
    kind,
    what: 'API keys: a hash that admits, the first and last characters as a hint, what they may do',
    limit: { until: 'the key is revoked, or its domain or account ends' },
    table: 'public.api_key',
    columns: {
      id: opaque,
      account_id: opaque,
      hash: opaque,
      hint: opaque,
      role: code,
      domain_id: opaque,
      expires_at: instant,
      created_at: instant,
    },
  },
  {
    store: 'accounts.smtp_credential',
    owner,
    kind,
    what: 'who may hand mail in by SMTP for a domain: login and password hash, sealed under the account',
    limit: { until: 'it is revoked, or its domain or account ends' },
    table: 'public.smtp_credential',
    columns: {
      id: opaque,
      account_id: opaque,
      domain_id: opaque,
      credential: sealed('smtp-credential'),
      created_at: instant,
    },
  },
  {
    store: 'accounts.outbox',
    owner,
    kind,
    what: 'settings on their way to Kafka',
    limit: { until: 'Kafka has them; while it takes none, changes are refused' },
    table: 'public.outbox',
    columns: { id: opaque, created_at: instant, records: sealed('dkim-key', 'smtp-credential') },
  },
  {
    store: 'accounts.migrations',
    owner,
    kind,
    what: 'which migrations were applied',
    limit: { until: 'never: names of code' },
    table: 'public.migrations',
    columns: { id: count, timestamp: count, name: code },
  },
];
