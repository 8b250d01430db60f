import { CONFIG, HealthRegistry, StartupError } from '@lethe/service';
import { Global, Inject, Module } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { VaultSetupError } from './errors.ts';
import { vaultOptions } from './vault.config.ts';
import type { VaultConfig } from './vault.config.ts';
import { Vault } from './vault.ts';

/**
 * Gives `Vault` to every module of a service whose config has `vaultConfig`. It begins to listen at start and does not wait:
 * readiness tells whether keys can be used.
 */
@Global()
@Module({ providers: [{ provide: Vault, inject: [CONFIG], useFactory: startVault }], exports: [Vault] })
export class VaultModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(Vault) private readonly vault: Vault,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  onApplicationBootstrap(): void {
    this.health.register({
      name: 'vault',
      check: () => {
        const state = this.vault.state();
        return state === 'open' ? { ok: true } : { ok: false, detail: state };
      },
    });
  }

  /** After the HTTP server and the consumers have stopped. */
  onApplicationShutdown(): Promise<void> {
    return this.vault.close();
  }
}

async function startVault(config: VaultConfig): Promise<Vault> {
  try {
    const options = await vaultOptions(config);
    const vault = new Vault(options);
    options.kek.fill(0);
    vault.start();
    return vault;
  } catch (error) {
    throw error instanceof VaultSetupError ? new StartupError(error.message) : error;
  }
}
