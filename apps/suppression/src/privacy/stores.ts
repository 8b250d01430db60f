import { column, type StoreDeclaration } from '@lethe/contracts';

const { opaque, instant, count, code, pseudonym, sealed } = column;
const owner = 'suppression' as const;
const kind = 'table' as const;

/** Every table of this service's database (design §8). */
export const STORES: readonly StoreDeclaration[] = [
  {
    store: 'suppression.suppression',
    owner,
    kind,
    what: 'who is not to be mailed, by pseudonym and reason; address and reply sealed under the person, for the lists',
    limit: {
      until: 'it is removed, the person is erased (do-not-contact may stay, without a person), or the account ends',
    },
    table: 'public.suppression',
    columns: {
      scope_id: opaque,
      reason: code,
      pseudonym,
      id: opaque,
      account_id: opaque,
      subject_id: opaque,
      sealed: sealed('suppression'),
      created_at: instant,
    },
  },
  {
    store: 'suppression.outbox',
    owner,
    kind,
    what: 'reason codes by pseudonym, and events of who unsubscribed (sealed under them), on their way to Kafka',
    limit: { until: 'Kafka has them; while it takes none, changes are refused' },
    table: 'public.outbox',
    columns: { id: opaque, created_at: instant, records: pseudonym },
  },
  {
    store: 'suppression.migrations',
    owner,
    kind,
    what: 'which migrations were applied',
    limit: { until: 'never: names of code' },
    table: 'public.migrations',
    columns: { id: count, timestamp: count, name: code },
  },
];
