import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, Log, Rounds } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { DeliveryConfig } from '../config.ts';
import { ShredRepository } from './shred.repository.ts';

/**
 * Gives the content keys of messages up that nobody may read and nobody waits for any more (design §7, retention 0), in every
 * replica; `privacy` destroys them. All that ended since the last round share a call.
 */
@Injectable()
export class ShredWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly shred: ShredRepository,
    private readonly vault: Vault,
    private readonly log: Log,
    @Inject(CONFIG) config: DeliveryConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.SHRED_POLL_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('shred.interrupted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  private async work(): Promise<void> {
    for (let some = 1; some > 0 && !this.rounds.stopped;) {
      some = await this.shred.handOver((messages) => this.vault.giveUpContentKeys(messages));
      if (some > 0) this.log.info('shred.given-up', { messages: some });
    }
  }
}
