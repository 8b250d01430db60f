import { createVault } from '@lethe/testing';
import type { SuiteVault } from '@lethe/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { migrateVault, Vault, VaultKeeper } from '../../src/index.ts';
import type { KeeperOptions, VaultOptions, VaultService } from '../../src/index.ts';

/** A vault of the suite's own, in the real vault PostgreSQL. */
export interface VaultWorld {
  kek: Buffer;
  urls: SuiteVault['urls'];
  ownerUrl: string;
  /** A superuser in the suite's database. */
  admin: Client;
  /** A started vault client of that service; closed with the world. */
  vault: (service: VaultService, options?: Partial<VaultOptions>) => Promise<Vault>;
  /** What privacy does there; closed with the world. */
  keeper: (options?: Partial<KeeperOptions>) => VaultKeeper;
  /** A new account with secrets. */
  account: () => Promise<string>;
  close: () => Promise<void>;
}

/** In the shared vault PostgreSQL, or in `place`. */
export async function vaultWorld(place?: SuiteVault): Promise<VaultWorld> {
  const { urls, ownerUrl, adminUrl, drop } =
    place ?? (await createVault(inject('stores'), `v${randomBytes(4).toString('hex')}`));
  await migrateVault(ownerUrl);
  const admin = new Client({ connectionString: adminUrl });
  // A server of the suite's own may be restarted under it.
  admin.on('error', () => {});
  await admin.connect();
  const kek = randomBytes(32);
  const vaults: (Vault | VaultKeeper)[] = [];

  async function vault(service: VaultService, options: Partial<VaultOptions> = {}): Promise<Vault> {
    const made = new Vault({ url: urls[service], kek, ...options });
    vaults.push(made);
    made.start();
    await made.ready(20_000);
    return made;
  }
  const accounts = await vault('accounts');
  return {
    kek,
    urls,
    ownerUrl,
    admin,
    vault,
    keeper(options = {}) {
      const made = new VaultKeeper({ url: urls.privacy, ...options });
      vaults.push(made);
      return made;
    },
    async account() {
      const accountId = randomUUID();
      await accounts.ensureAccount(accountId);
      return accountId;
    },
    async close() {
      await Promise.all(vaults.map((made) => made.close()));
      await admin.end();
      await drop();
    },
  };
}
