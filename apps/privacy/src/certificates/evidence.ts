import type { HolderService } from '@lethe/contracts';
import type { CompletedRequest, HolderResult } from '../requests/completed-request.ts';

/** `deleted` where bytes died, `rewritten` where an element was taken out of somebody else's record, the third where keys died. */
export type Method = 'deleted' | 'rewritten' | 'rendered unreadable';

export interface StoreEvidence {
  readonly store: string;
  readonly service: HolderService;
  readonly method: Method;
  /** Records. `null` in all three: what lies there cannot be counted, because nothing of it can be opened or told apart. */
  readonly found: number | null;
  readonly removed: number | null;
  readonly residual: number | null;
  readonly checked_at: string;
}

interface Means {
  readonly store: string;
  readonly method: Method;
}

type Table = Readonly<Record<HolderService, Readonly<Record<string, Means>>>>;

/** What each kind of record a holder counts is, and what became of it: of people. */
export const MEANS: Table = {
  accounts: {
    'sandbox-recipient': { store: 'postgresql: recipients of a sandbox domain', method: 'deleted' },
    user: { store: 'postgresql: users, who sign in', method: 'deleted' },
  },
  ingest: {
    recipient: { store: 'postgresql: recipients of messages', method: 'deleted' },
    message: { store: 'postgresql: messages nobody else received', method: 'deleted' },
    mention: { store: "postgresql: others' messages that named the subject", method: 'rewritten' },
    body: { store: 'body store: bodies of messages', method: 'rendered unreadable' },
    member: { store: 'postgresql: members of mailing lists', method: 'deleted' },
  },
  delivery: {
    deferred: { store: 'postgresql: deferred and scheduled sending', method: 'deleted' },
    mention: { store: "postgresql: others' deferred sending that named the subject", method: 'rewritten' },
  },
  events: {
    event: { store: 'elasticsearch: events', method: 'deleted' },
    mention: { store: "elasticsearch: others' events that named the subject", method: 'rewritten' },
  },
  suppression: {
    suppression: { store: 'postgresql: suppressions', method: 'deleted' },
  },
  privacy: {
    'request-subject': { store: "postgresql: the request's pseudonyms", method: 'deleted' },
    key: { store: 'vault: keys', method: 'deleted' },
  },
};

/** The same of an account that is closed. */
export const CLOSING_MEANS: Table = {
  accounts: {
    ...MEANS.accounts,
    record: { store: 'postgresql: the account, its keys, domains and credentials', method: 'deleted' },
  },
  ingest: {
    ...MEANS.ingest,
    message: { store: 'postgresql: messages', method: 'deleted' },
    mention: { store: 'postgresql: people named in messages', method: 'deleted' },
    list: { store: 'postgresql: mailing lists', method: 'deleted' },
    template: { store: 'postgresql: templates', method: 'deleted' },
    counter: { store: 'postgresql: idempotency keys and counts of what was sent', method: 'deleted' },
  },
  delivery: {
    deferred: { store: 'postgresql: deferred and scheduled sending', method: 'deleted' },
    hold: { store: 'postgresql: pauses and cancellations', method: 'deleted' },
  },
  events: { event: { store: 'elasticsearch: events', method: 'deleted' } },
  suppression: MEANS.suppression,
  privacy: {
    request: { store: 'postgresql: what was typed with requests of the account', method: 'deleted' },
    'request-subject': { store: 'postgresql: whom requests of the account were about', method: 'deleted' },
    key: { store: 'vault: secrets of people', method: 'deleted' },
    name: { store: 'vault: pseudonyms of people', method: 'deleted' },
    account: { store: 'vault: secrets of the account', method: 'deleted' },
  },
};

/** What cannot be edited: its sealed parts stay where they lie, and the keys that opened them are gone. */
const SEALED_REMAINS = ['kafka: topics and dead letters', 'postgresql: freed pages and write-ahead log'] as const;

/** One line per kind of every holder, also where nothing was found, then what only the death of keys reaches. */
export function storeEvidence(request: Pick<CompletedRequest, 'type' | 'holders' | 'unreadableAt'>): StoreEvidence[] {
  const table = request.type === 'account-erasure' ? CLOSING_MEANS : MEANS;
  const remains = SEALED_REMAINS.map((store): StoreEvidence => {
    const checkedAt = request.unreadableAt.toISOString();
    const method = 'rendered unreadable';
    return { store, service: 'privacy', method, found: null, removed: null, residual: null, checked_at: checkedAt };
  });
  return [...request.holders.flatMap((holder) => evidenceOf(holder, table[holder.service])), ...remains];
}

function evidenceOf(
  { service, found, removed, residual, verifiedAt }: HolderResult,
  means: Table[HolderService],
): StoreEvidence[] {
  const unknown = [found, removed, residual].flatMap(Object.keys).find((kind) => !Object.hasOwn(means, kind));
  // Rather no certificate than one that says nothing of what it does not know.
  if (unknown !== undefined)
    throw new Error(`${service} counts "${unknown}", of which evidence.ts does not say what it is`);
  return Object.entries(means).map(([kind, { store, method }]) => ({
    store,
    service,
    method,
    found: found[kind] ?? 0,
    removed: removed[kind] ?? 0,
    residual: residual[kind] ?? 0,
    checked_at: verifiedAt.toISOString(),
  }));
}
