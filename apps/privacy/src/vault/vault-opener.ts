import { CONFIG, Log } from '@lethe/service';
import { VaultKeeper } from '@lethe/vault';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { PrivacyConfig } from '../config.ts';

const LOOK_MS = 500;
/** Without a ledger nothing was ever destroyed: every vault is as new as it can be. */
const NO_LEDGER = 0;

/** Opens the vault after each start of its server: until then it answers nobody. */
@Injectable()
export class VaultOpener implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly keeper: VaultKeeper;
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  constructor(
    @Inject(CONFIG) config: PrivacyConfig,
    @Inject(Log) private readonly log: Log,
  ) {
    this.keeper = new VaultKeeper({ url: config.VAULT_URL, timeoutMs: config.VAULT_TIMEOUT_MS });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.look(), LOOK_MS);
    this.timer.unref();
    void this.look();
  }

  onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    return this.keeper.close();
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const { open } = await this.keeper.state();
      if (!open) await this.keeper.open(NO_LEDGER);
    } catch (error) {
      // Away or starting; readiness tells it.
      this.log.debug('vault.not-opened', { error });
    } finally {
      this.looking = false;
    }
  }
}
