import { runMigrations } from '@lethe/database';
import { loadConfig } from '@lethe/service';
import { migrateVault } from '@lethe/vault';
import { migrateConfig } from './config.ts';
import { MIGRATIONS } from './migrations/migrations.ts';

/**
 * `node dist/migrate.js`, before any service starts: the vault's schema, partitions ahead and each service's rights, then this
 * service's own database.
 */
try {
  await migrateVault(loadConfig(migrateConfig).VAULT_OWNER_URL);
  process.stdout.write('The vault is up to date\n');
  await runMigrations(MIGRATIONS);
} catch (error) {
  process.stderr.write(`The migration of the vault failed. ${(error as Error).message}\n`);
  process.exitCode = 1;
}
