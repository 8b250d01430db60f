import { BODY_STORES } from '@lethe/bodies';
import { column, RETENTION, type StoreDeclaration } from '@lethe/contracts';

/** Nothing of a message outlives its body. */
const limit = {
  class: 'body',
  limitMs: RETENTION.body.limitMs,
  mechanism: "the retention worker deletes it at the message's drop time",
} as const;

/** Every table of ingest's database, in the data map. */
export const STORES: readonly StoreDeclaration[] = [
  {
    store: 'ingest.message',
    owner: 'ingest',
    kind: 'table',
    what: 'messages accepted: ids, times, sizes',
    limit,
    table: 'public.message',
    age: 'accepted_at',
    columns: {
      id: column.opaque,
      account_id: column.opaque,
      domain_id: column.opaque,
      key_id: column.opaque,
      accepted_at: column.instant,
      expires_at: column.instant,
      drop_at: column.instant,
      event_class: column.code,
      method: column.code,
      size: column.count,
      test_mode: column.flag,
      stored: column.code,
    },
  },
  {
    store: 'ingest.message_recipient',
    owner: 'ingest',
    kind: 'table',
    what: 'who a message is for, sealed under their keys',
    limit: { until: 'its message is gone: they are deleted together' },
    table: 'public.message_recipient',
    columns: {
      message_id: column.opaque,
      ordinal: column.count,
      subject_id: column.opaque,
      role: column.code,
      envelope: column.sealed('envelope'),
    },
  },
  {
    store: 'ingest.message_related',
    owner: 'ingest',
    kind: 'table',
    what: 'who a message is from, who is to be answered, whom it shows and is not sent to, sealed under their keys',
    limit: { until: 'its message is gone: they are deleted together' },
    table: 'public.message_related',
    columns: {
      message_id: column.opaque,
      ordinal: column.count,
      subject_id: column.opaque,
      role: column.code,
      person: column.sealed('person'),
    },
  },
  {
    store: 'ingest.outbox',
    owner: 'ingest',
    kind: 'table',
    what: 'records of accepted messages that Kafka does not have yet, as sealed as they go there',
    limit: { ...limit, mechanism: "deleted once Kafka has it; at the latest at the message's drop time" },
    table: 'public.outbox',
    age: 'created_at',
    columns: { id: column.opaque, created_at: column.instant, records: column.sealed('envelope', 'person') },
  },
  {
    store: 'ingest.migrations',
    owner: 'ingest',
    kind: 'table',
    what: 'which migrations the database has had',
    limit: { until: 'the database is dropped' },
    table: 'public.migrations',
    columns: { id: column.count, timestamp: column.count, name: column.code },
  },
  ...BODY_STORES,
];
