import { migrateBodies } from '@lethe/bodies';
import { runMigrations } from '@lethe/database';
import { MIGRATIONS } from './migrations.ts';

/** `node dist/migrate.js`, before any service starts: ingest's own tables, then the body store beside them. */
await runMigrations(MIGRATIONS);
if (process.exitCode === undefined) await migrateBodies(process.env['DATABASE_URL'] ?? '');
