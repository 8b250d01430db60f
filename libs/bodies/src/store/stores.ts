import { column, RETENTION, type StoreDeclaration } from '@lethe/contracts';

/** The body store in the data map. Its reading is `BodyStore.oldest`: no column says when a body was accepted, its id does. */
export const BODY_STORES: readonly StoreDeclaration[] = [
  {
    store: 'ingest.body',
    owner: 'ingest',
    readers: ['delivery'],
    kind: 'table',
    what: 'messages, sealed under a content key each, until they are sent and may be read',
    limit: {
      class: 'body',
      limitMs: RETENTION.body.limitMs,
      mechanism:
        'its partition is dropped at its drop time; in a bucket its object is, and a rule of the bucket deletes what nobody did',
    },
    table: 'bodies.body',
    instructedUntil: 'drop_at',
    columns: {
      drop_at: column.instant,
      message_id: column.opaque,
      seq: column.count,
      segments: column.count,
      bytes: column.body,
    },
  },
];
