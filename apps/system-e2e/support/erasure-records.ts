import { databaseUrl, withClient } from '@lethe/testing';
import type { OwnPlatform } from './own-platform.ts';

type Json = Readonly<Record<string, unknown>>;

/** One event as the search index holds it, as far as it names people. */
export interface IndexedEvent extends Json {
  readonly message: string;
  readonly message_id: string;
  readonly recipient_subject: string;
  readonly subjects: readonly string[];
  readonly people: readonly { readonly subject: string; readonly address: string; readonly name?: string }[];
  readonly recipients: readonly string[];
  readonly from: string;
  readonly to: string;
}

/** Every event in the search index, by its id. */
export async function indexedEvents(own: OwnPlatform): Promise<Map<string, IndexedEvent>> {
  await fetch(`${own.stores.elasticsearch}/lethe-events-*/_refresh`, { method: 'POST' });
  const response = await fetch(`${own.stores.elasticsearch}/lethe-events-*/_search?size=10000`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: { match_all: {} }, track_total_hits: true }),
  });
  const { hits } = (await response.json()) as {
    hits: { total: { value: number }; hits: { _id: string; _source: IndexedEvent }[] };
  };
  if (hits.total.value !== hits.hits.length) throw new Error(`${hits.total.value} events are too many to compare`);
  return new Map(hits.hits.map(({ _id, _source }) => [_id, _source]));
}

/** What is to be left of an event once these people are erased; null if it is about one of them. */
export function withoutPeople(event: IndexedEvent, erased: ReadonlySet<string>): IndexedEvent | null {
  if (erased.has(event.recipient_subject)) return null;
  const named = event.people.filter(({ subject }) => erased.has(subject));
  if (named.length === 0) return event;
  const addresses = new Set(named.map(({ address }) => address));
  const shown = (list: string): string =>
    list
      .split(', ')
      .filter((mailbox) => ![...addresses].some((address) => mailbox === address || mailbox.endsWith(`<${address}>`)))
      .join(', ');
  return {
    ...event,
    subjects: event.subjects.filter((subject) => !erased.has(subject)),
    people: event.people.filter(({ subject }) => !erased.has(subject)),
    recipients: event.recipients.filter((address) => !addresses.has(address)),
    from: shown(event.from),
    to: shown(event.to),
  };
}

/** Rows by table, each as JSON text of its columns. */
export type Rows = ReadonlyMap<string, readonly string[]>;

const DATABASES = ['accounts', 'ingest', 'delivery', 'suppression'] as const;
/** What comes and goes by itself. */
const PASSING = /\.(outbox|heartbeat)$/;
/** Of a waiting message: who works on it, and when it is tried again. */
const PASSING_COLUMNS = ['lease_until', 'lease_owner', 'started', 'next_at', 'attempt', 'maybe_duplicate'];

/** Every row of every table of the services that hold mail, bodies included. */
export async function allRows(own: OwnPlatform): Promise<Rows> {
  const found = new Map<string, string[]>();
  for (const database of DATABASES) {
    await withClient(databaseUrl(own.stores.postgres.adminUrl, database), async (client) => {
      const { rows: tables } = await client.query<{ name: string; parent: string }>(`
        SELECT format('%I.%I', n.nspname, c.relname) AS name, coalesce(p.relname, c.relname) AS parent
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
         WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')`);
      for (const { name, parent } of tables) {
        const table = `${database}.${parent}`;
        if (PASSING.test(table)) continue;
        const { rows } = await client.query<{ row: string }>({
          text: `SELECT (to_jsonb(t) - $1::text[])::text AS row FROM ${name} t`,
          values: [PASSING_COLUMNS],
        });
        found.set(table, [...(found.get(table) ?? []), ...rows.map(({ row }) => alike(row))].toSorted());
      }
    });
  }
  return found;
}

/** The database writes JSON with spaces. */
const alike = (json: string): string => JSON.stringify(JSON.parse(json));

/** What is to be left of rows once these people are erased and these messages, which were for nobody else, are gone. */
export function rowsWithout(rows: Rows, erased: ReadonlySet<string>, messages: ReadonlySet<string>): Rows {
  const left = (text: string): string[] => {
    const row = JSON.parse(text) as { subject_id?: string; message_id?: string; id?: string; record?: string };
    if (erased.has(row.subject_id ?? '') || messages.has(row.message_id ?? row.id ?? '')) return [];
    if (row.record === undefined) return [text];
    const record = recordWithout(row.record, erased);
    return record === null ? [] : [JSON.stringify({ ...row, record })];
  };
  return new Map([...rows].map(([table, texts]) => [table, texts.flatMap(left).toSorted()]));
}

/** As `mail-accepted` has it, in the queue of what waits. */
function recordWithout(text: string, erased: ReadonlySet<string>): string | null {
  const record = JSON.parse(text) as { recipient: { subject: string }; related: { subject: string }[] };
  if (erased.has(record.recipient.subject)) return null;
  return JSON.stringify({ ...record, related: record.related.filter(({ subject }) => !erased.has(subject)) });
}
