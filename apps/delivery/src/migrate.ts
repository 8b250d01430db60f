import { runMigrations } from '@lethe/database';
import { MIGRATIONS } from './deferred/migrations/migrations.ts';

await runMigrations(MIGRATIONS);
