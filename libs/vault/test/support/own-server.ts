import { provisionRoles, provisionVault, startPostgres, VAULT_OWNER } from '@lethe/testing';
import type { Postgres, SuiteVault } from '@lethe/testing';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VAULT_SERVICES } from '../../src/index.ts';

/** A vault's PostgreSQL of the suite's own, set as in production: it may be stopped, killed, copied and searched. */
export interface OwnServer {
  postgres: Postgres;
  /** For `vaultWorld`. Dropping it stops the server and removes its files. */
  place: SuiteVault;
}

export async function ownServer(): Promise<OwnServer> {
  const dir = await mkdtemp(join(tmpdir(), 'vault-server-'));
  const password = randomBytes(16).toString('hex');
  const postgres = await startPostgres({ dir, name: 'vault', vault: true, password });
  const roles = [VAULT_OWNER, 'gateway', ...VAULT_SERVICES];
  await provisionRoles(postgres.adminUrl, Object.fromEntries(roles.map((role) => [role, password])));
  await provisionVault(postgres.adminUrl, 'vault');
  const urlFor = (username: string): string =>
    Object.assign(new URL(postgres.adminUrl), { username, pathname: '/vault' }).href;
  return {
    postgres,
    place: {
      ownerUrl: urlFor(VAULT_OWNER),
      adminUrl: urlFor('postgres'),
      urls: Object.fromEntries(roles.map((role) => [role, urlFor(role)])) as SuiteVault['urls'],
      async drop() {
        await postgres.stop();
        await rm(dir, { recursive: true, force: true });
      },
    },
  };
}
