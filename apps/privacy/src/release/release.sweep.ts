import { MAX_MESSAGE_IDS } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { CONFIG, Log } from '@lethe/service';
import { VaultKeeper } from '@lethe/vault';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ActiveWorker } from '../active/active.worker.ts';
import type { PrivacyConfig } from '../config.ts';
import type { DoomedKey } from '../ledger/ledger.entry.ts';
import { ReleasedRepository } from '../ledger/released.repository.ts';
import { ReleaseService } from './release.service.ts';

/**
 * Destroys the content keys of messages that nobody waits for any more: of bodies that a certificate names as kept, of messages that
 * their account has removed, and of those that are shredded after their last recipient. All that are found by one look go together,
 * and leave the files with the next physical pass (`LedgerModule`).
 */
@Injectable()
export class ReleaseSweep implements OnApplicationBootstrap {
  constructor(
    private readonly active: ActiveWorker,
    private readonly release: ReleaseService,
    private readonly keeper: VaultKeeper,
    private readonly released: ReleasedRepository,
    private readonly database: Database,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  onApplicationBootstrap(): void {
    const { RELEASE_POLL_MS: everyMs } = this.config;
    this.active.add({ name: 'release', everyMs, run: () => this.sweep() });
    this.active.add({ name: 'shred', everyMs, run: (signal) => this.shred(signal) });
  }

  private async sweep(): Promise<void> {
    const found = await this.release.ofTheRest();
    if (found === undefined) return;
    const { free: messages } = found;
    await this.database.withClientTransaction(async (client) => {
      await this.release.forget(client, 'rest');
      await this.released.add(client, messages);
    });
    // Killed before it, what is condemned is found again.
    await this.destroy(messages);
  }

  /** What delivery has given up. Nobody is asked: it has said that nobody waits. */
  private async shred(signal: AbortSignal): Promise<void> {
    for (let full = true; full && !signal.aborted;) {
      const messages = await this.keeper.givenUp(MAX_MESSAGE_IDS);
      await this.database.withClientTransaction((client) => this.released.add(client, messages));
      await this.destroy(messages);
      full = messages.length === MAX_MESSAGE_IDS;
    }
  }

  private async destroy(messages: readonly DoomedKey[]): Promise<void> {
    if (messages.length === 0) return;
    const bodies = await this.keeper.release(messages);
    this.log.info('vault.keys-released', { bodies });
  }
}
