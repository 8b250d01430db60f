import { Global, Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationShutdown } from '@nestjs/common';
import { vaultOptions } from './vault.config.ts';
import type { VaultConfig } from './vault.config.ts';
import { Vault } from './vault.ts';

/** Gives `Vault` to every module of a service; begins to listen at start, does not wait (readiness tells). */
@Global()
@Module({})
export class VaultModule implements OnApplicationShutdown {
  constructor(@Inject(Vault) private readonly vault: Vault) {}

  static forRoot(config: VaultConfig): DynamicModule {
    const vault = {
      provide: Vault,
      useFactory: async () => {
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
