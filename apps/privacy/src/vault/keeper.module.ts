import { CONFIG } from '@lethe/service';
import { readKek, VaultKeeper } from '@lethe/vault';
import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { PrivacyConfig } from '../config.ts';

/** Its calls are large and rare; a physical pass takes seconds. */
const TIMEOUT_MS = 30_000;

/** What this service alone may do in the vault: fence people off, destroy keys, open it. */
@Global()
@Module({ providers: [{ provide: VaultKeeper, inject: [CONFIG], useFactory: makeKeeper }], exports: [VaultKeeper] })
export class KeeperModule implements OnApplicationShutdown {
  constructor(@Inject(VaultKeeper) private readonly keeper: VaultKeeper) {}

  onApplicationShutdown(): Promise<void> {
    return this.keeper.close();
  }
}

async function makeKeeper(config: PrivacyConfig): Promise<VaultKeeper> {
  const kek = await readKek(config.VAULT_KEK_FILE);
  const keeper = new VaultKeeper({ url: config.VAULT_URL, timeoutMs: TIMEOUT_MS, kek });
  kek.fill(0);
  return keeper;
}
