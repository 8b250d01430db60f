import { runMigrations } from '@lethe/database';
import { MIGRATIONS } from './migrations/migrations.ts';

await runMigrations(MIGRATIONS);
