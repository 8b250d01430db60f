import { isLimited, type Reading, type StoreDeclaration } from '@lethe/contracts';
import { escapeIdentifier, type Pool } from 'pg';

/** Reads the oldest record of every table with a time limit. `age` of the declaration names the column; without rows, null. */
export async function measureTables(
  pool: Pick<Pool, 'query'>,
  stores: readonly StoreDeclaration[],
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const { store, limit, table, age } of stores) {
    if (!isLimited(limit) || table === undefined || age === undefined) continue;
    const name = table.split('.').map(escapeIdentifier).join('.');
    const { rows } = await pool.query<{ oldest: Date | null }>(
      `select min(${escapeIdentifier(age)}) as oldest from ${name}`,
    );
    readings.push({
      store,
      class: limit.class,
      limitSeconds: limit.limitMs / 1_000,
      oldestAt: rows[0]?.oldest?.getTime() ?? null,
    });
  }
  return readings;
}
