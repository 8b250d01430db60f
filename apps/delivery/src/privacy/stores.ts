import { column, RETENTION, type StoreDeclaration } from '@lethe/contracts';

/** Every table of delivery's database, in the data map. */
export const STORES: readonly StoreDeclaration[] = [
  {
    store: 'delivery.deferred',
    owner: 'delivery',
    kind: 'table',
    what: 'recipients that wait for their next attempt, as sealed as they came',
    limit: {
      class: 'queue',
      limitMs: RETENTION.queue.limitMs,
      mechanism: 'ends with the outcome, at the latest when the message expires; a sweep takes what even then was left',
    },
    table: 'public.deferred',
    age: 'accepted_at',
    columns: {
      message_id: column.opaque,
      ordinal: column.count,
      partition: column.count,
      attempt: column.count,
      record: column.sealed('envelope', 'person'),
      accepted_at: column.instant,
      next_at: column.instant,
      lease_until: column.instant,
      lease_owner: column.opaque,
      started: column.flag,
      maybe_duplicate: column.flag,
    },
  },
  {
    store: 'delivery.shred',
    owner: 'delivery',
    kind: 'table',
    what: 'which recipients of messages that nobody may read have ended: with the last one the content key is given up',
    limit: {
      class: 'body',
      limitMs: RETENTION.body.limitMs,
      mechanism: 'goes when the vault has been told, at the latest with the drop time of the body',
    },
    table: 'public.shred',
    age: 'noted_at',
    columns: {
      message_id: column.opaque,
      drop_at: column.instant,
      ended: column.flag,
      noted_at: column.instant,
    },
  },
  {
    store: 'delivery.migrations',
    owner: 'delivery',
    kind: 'table',
    what: 'which migrations the database has had',
    limit: { until: 'the database is dropped' },
    table: 'public.migrations',
    columns: { id: column.count, timestamp: column.count, name: column.code },
  },
];
