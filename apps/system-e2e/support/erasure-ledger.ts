import { databaseUrl, withClient } from '@lethe/testing';
import type { OwnPlatform } from './own-platform.ts';

/** Whom the ledger of destruction names for a request: the one place that tells, once an erasure is over. */
export function erasedSubjects(own: OwnPlatform, requestId: string): Promise<string[]> {
  return withClient(databaseUrl(own.stores.postgres.adminUrl, 'privacy'), async (client) => {
    const { rows } = await client.query<{ subject: string }>(
      'SELECT DISTINCT unnest(subjects)::text AS subject FROM erasure_ledger WHERE request_id = $1',
      [requestId],
    );
    return rows.map(({ subject }) => subject);
  });
}

/** What any store that tells people apart by subject still has of these, asked as its superuser; only what is not zero. */
export async function leftOf(own: OwnPlatform, subjects: readonly string[]): Promise<Record<string, number>> {
  const { postgres, vault, elasticsearch } = own.stores;
  const counted = (adminUrl: string, database: string, text: string) =>
    withClient(databaseUrl(adminUrl, database), async (client) => {
      const { rows } = await client.query<{ n: number }>(text, [subjects]);
      return rows[0]?.n ?? 0;
    });
  const inIndex = async (): Promise<number> => {
    await fetch(`${elasticsearch}/lethe-events-*/_refresh`, { method: 'POST' });
    const response = await fetch(`${elasticsearch}/lethe-events-*/_count`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: { terms: { subjects } } }),
    });
    return ((await response.json()) as { count: number }).count;
  };
  const found = {
    secrets: await counted(
      vault.adminUrl,
      'vault',
      'SELECT count(*)::int AS n FROM vault.subject_secret WHERE subject_id = ANY($1::uuid[])',
    ),
    names: await counted(
      vault.adminUrl,
      'vault',
      'SELECT count(*)::int AS n FROM vault.subject_name WHERE subject_id = ANY($1::uuid[])',
    ),
    recipients: await counted(
      postgres.adminUrl,
      'ingest',
      'SELECT count(*)::int AS n FROM message_recipient WHERE subject_id = ANY($1::uuid[])',
    ),
    mentions: await counted(
      postgres.adminUrl,
      'ingest',
      'SELECT count(*)::int AS n FROM message_related WHERE subject_id = ANY($1::uuid[])',
    ),
    deferred: await counted(
      postgres.adminUrl,
      'delivery',
      `SELECT count(*)::int AS n FROM deferred WHERE EXISTS (SELECT FROM unnest($1::text[]) one WHERE strpos(record, one) > 0)`,
    ),
    events: await inIndex(),
  };
  return Object.fromEntries(Object.entries(found).filter(([, n]) => n > 0));
}
