import { isLimited, RETENTION, type Reading, type StoreDeclaration } from '@lethe/contracts';
import { escapeIdentifier, type Pool } from 'pg';

/**
 * Reads the oldest record of every table with a time limit. `age` of the declaration names the column; without rows, null. Where an
 * instruction may keep records for longer, there are two readings: of those that are there for as long as the limit says, and of others.
 */
export async function measureTables(
  pool: Pick<Pool, 'query'>,
  stores: readonly StoreDeclaration[],
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const { store, limit, table, age, instructedUntil } of stores) {
    if (!isLimited(limit) || table === undefined || age === undefined) continue;
    const name = table.split('.').map(escapeIdentifier).join('.');
    const since = escapeIdentifier(age);
    const oldest = async (only = ''): Promise<number | null> => {
      const { rows } = await pool.query<{ oldest: Date | null }>(`select min(${since}) as oldest from ${name} ${only}`);
      return rows[0]?.oldest?.getTime() ?? null;
    };
    const usual = { store, class: limit.class, limitSeconds: limit.limitMs / 1_000 };
    if (instructedUntil === undefined) {
      readings.push({ ...usual, oldestAt: await oldest() });
      continue;
    }
    const isLonger = `${escapeIdentifier(instructedUntil)} > ${since} + make_interval(secs => ${usual.limitSeconds})`;
    const limitSeconds = RETENTION.instructed.limitMs / 1_000;
    readings.push(
      { ...usual, oldestAt: await oldest(`where not ${isLonger}`) },
      { store, class: 'instructed', limitSeconds, oldestAt: await oldest(`where ${isLonger}`) },
    );
  }
  return readings;
}
