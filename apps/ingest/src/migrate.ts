import { migrateBodies } from '@lethe/bodies';
import { databaseConfig, runMigrations } from '@lethe/database';
import { loadConfig } from '@lethe/service';
import { z } from 'zod';
import { MIGRATIONS } from './migrations.ts';

/** `node dist/migrate.js`, before any service starts: ingest's own tables, then the body store beside them. */
await runMigrations(MIGRATIONS);
if (process.exitCode === undefined) {
  await migrateBodies(loadConfig(z.object({ DATABASE_URL: databaseConfig.DATABASE_URL })).DATABASE_URL);
}
