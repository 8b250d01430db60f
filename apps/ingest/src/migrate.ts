import { bucketConfig, prepareBodyStore } from '@lethe/bodies';
import { databaseConfig, runMigrations } from '@lethe/database';
import { loadConfig, StartupError } from '@lethe/service';
import { z } from 'zod';
import { MIGRATIONS } from './migrations.ts';

/** `node dist/migrate.js`, before any service starts: ingest's own tables, then the body store. */
await runMigrations(MIGRATIONS);
if (process.exitCode === undefined) {
  try {
    const config = loadConfig(z.object({ DATABASE_URL: databaseConfig.DATABASE_URL, ...bucketConfig }));
    await prepareBodyStore(config, config.DATABASE_URL, async (client) => {
      const { rows } = await client.query<{ until: Date | null }>(
        'SELECT max(drop_at) AS until FROM message WHERE drop_at > now()',
      );
      return rows[0]?.until ?? null;
    });
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
