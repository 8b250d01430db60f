import { CONFIG, HealthRegistry } from '@lethe/service';
import { Global, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationShutdown } from '@nestjs/common';
import { vaultOptions } from './vault.config.ts';
import type { VaultConfig } from './vault.config.ts';
import { Vault } from './vault.ts';

/** Gives `Vault` to every module of a service; begins to listen at start, does not wait (readiness tells). */
@Global()
@Module({})
export class VaultModule implements OnApplicationShutdown {
  constructor(
    private readonly vault: Vault,
    health: HealthRegistry,
  ) {
    health.register({
      name: 'vault',
      check: () => (vault.healthy() ? { ok: true } : { ok: false, detail: 'unavailable' }),
    });
  }

  /** Needs `...vaultConfig` in the service's config. */
  static forService(): DynamicModule {
    const vault = {
      provide: Vault,
      inject: [CONFIG],
      useFactory: async (config: VaultConfig) => {
        const made = new Vault(await vaultOptions(config));
        made.start();
        return made;
      },
    };
    return { module: VaultModule, providers: [vault], exports: [Vault] };
  }

  /** After the HTTP server and the consumers have stopped. */
  onApplicationShutdown(): Promise<void> {
    return this.vault.close();
  }
}
