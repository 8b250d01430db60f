import { column, RETENTION, type StoreDeclaration } from '@lethe/contracts';
import { SUBJECT_LIMIT_MS } from './keeper/forgetting.ts';
import { ACCESS, VAULT_SERVICES } from './schema/access.ts';

const { opaque, instant, count, code, flag, key, pseudonym } = column;
const owner = 'privacy' as const;
const kind = 'table' as const;
const PERSON = { until: 'the person is erased, or nobody has used the subject for 31 days' } as const;
const ERASURE = { until: 'the erasure is over' } as const;
/** Who else reads of a table what it asks for by id, through a function of that name. */
const through = (call: string) =>
  VAULT_SERVICES.filter((service) => service !== owner && reads(call).includes(service));
const reads = (call: string) =>
  Object.entries(ACCESS).find(([signature]) => signature.startsWith(`${call}(`))?.[1] ?? [];
const PLATFORM = { until: 'the platform ends: nothing about anybody' } as const;

/** Every table of the vault. Readings: `VaultKeeper.readings()`, under the same names. */
export const VAULT_STORES: readonly StoreDeclaration[] = [
  {
    store: 'vault.account',
    owner,
    readers: through('read_secrets'),
    kind,
    what: 'a secret and a pseudonym key per account: without them nothing of the account can be opened, nobody found',
    limit: { until: 'the account is closed' },
    table: 'vault.account',
    columns: { account_id: opaque, secret: key, pseudonym_key: key, created_at: instant },
  },
  {
    store: 'vault.closed_account',
    owner,
    kind,
    what: 'ids of accounts that are closed, and whether the keys of their people are gone',
    limit: PLATFORM,
    table: 'vault.closed_account',
    columns: { account_id: opaque, closed_at: instant, emptied: flag },
  },
  {
    store: 'vault.subject',
    owner,
    readers: through('read_secrets'),
    kind,
    what: 'subject ids with the day of their last use; those of erased people as cut off',
    limit: { class: 'subject', limitMs: SUBJECT_LIMIT_MS, mechanism: 'forgotten for disuse' },
    table: 'vault.subject',
    columns: { subject_id: opaque, account_id: opaque, week: instant, last_used: instant, cut_off: instant },
  },
  {
    store: 'vault.subject_name',
    owner,
    readers: through('find_subjects'),
    kind,
    what: 'from a pseudonym to a subject: the only way there',
    limit: PERSON,
    table: 'vault.subject_name',
    columns: { account_id: opaque, pseudonym, subject_id: opaque },
  },
  {
    store: 'vault.subject_secret',
    owner,
    readers: through('read_secrets'),
    kind,
    what: 'a secret per subject: without it nothing about that person can be opened',
    limit: PERSON,
    table: 'vault.subject_secret',
    columns: { week: instant, subject_id: opaque, secret: key },
  },
  {
    store: 'vault.period_secret',
    owner,
    readers: through('read_secrets'),
    kind,
    what: 'a secret per retention class and bucket, at most as old as the class allows',
    limit: {
      class: 'e30',
      limitMs: RETENTION.e30.limitMs,
      mechanism: 'deleted ten minutes before the limit of its own class',
    },
    table: 'vault.period_secret',
    columns: { class: code, bucket: instant, secret: key, forget_at: instant },
  },
  {
    store: 'vault.content_key',
    owner,
    readers: through('read_content_keys'),
    kind,
    what: 'a key per message: without it its body cannot be opened',
    limit: { class: 'body', limitMs: RETENTION.body.limitMs, mechanism: 'partitions dropped at their drop time' },
    table: 'vault.content_key',
    instructedUntil: 'drop_at',
    columns: { drop_at: instant, message_id: opaque, secret: key, condemned: flag },
  },
  {
    store: 'vault.condemnation',
    owner,
    kind,
    what: 'which erasures a body names somebody of, while others may still wait for it',
    limit: { until: 'the drop time of the body' },
    table: 'vault.condemnation',
    columns: { drop_at: instant, message_id: opaque, request_id: opaque },
  },
  {
    store: 'vault.given_up',
    owner,
    kind,
    what: 'messages nobody may read and nobody waits for any more: their content keys go next',
    limit: { until: 'their keys are destroyed, at the latest the drop time of the body' },
    table: 'vault.given_up',
    columns: { drop_at: instant, message_id: opaque },
  },
  {
    store: 'vault.fence',
    owner,
    kind,
    what: 'erasures under way and their cut-off',
    limit: ERASURE,
    table: 'vault.fence',
    columns: { request_id: opaque, account_id: opaque, cut_off: instant },
  },
  {
    store: 'vault.fence_subject',
    owner,
    readers: through('fenced_pseudonyms'),
    kind,
    what: 'whom an erasure under way cut off, and under which names',
    limit: ERASURE,
    table: 'vault.fence_subject',
    columns: { request_id: opaque, pseudonym, subject_id: opaque },
  },
  {
    store: 'vault.state',
    owner,
    kind,
    what: 'up to where the ledger of destruction was applied, and for which start of the server the vault was opened',
    limit: PLATFORM,
    table: 'vault.state',
    columns: { one: flag, position: count, opened_for: instant, opened_as: opaque, passed_at: instant },
  },
  {
    store: 'vault.dirty',
    owner,
    kind,
    what: 'partitions from which something was deleted',
    limit: { until: 'the next physical pass' },
    table: 'vault.dirty',
    columns: { id: opaque, relation: code },
  },
  {
    store: 'vault.retention',
    owner,
    kind,
    what: 'the limits of libs/contracts, as the vault checks them',
    limit: PLATFORM,
    table: 'vault.retention',
    columns: { class: code, bucket: count, max_age: count },
  },
  {
    store: 'vault.class_grant',
    owner,
    kind,
    what: 'which role may use the secrets of a class',
    limit: PLATFORM,
    table: 'vault.class_grant',
    columns: { role_name: code, class: code },
  },
  {
    store: 'vault.migration',
    owner,
    kind,
    what: 'versions of the schema',
    limit: PLATFORM,
    table: 'vault.migration',
    columns: { name: code, applied_at: instant },
  },
];
