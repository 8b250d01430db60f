import { randomUUIDv7 } from 'node:crypto';
import { Database } from '@lethe/database';
import { CONFIG } from '@lethe/service';
import { VaultKeeper } from '@lethe/vault';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ActiveWorker } from '../active/active.worker.ts';
import type { PrivacyConfig } from '../config.ts';
import { LedgerApplier } from '../ledger/ledger.applier.ts';
import { LedgerRepository } from '../ledger/ledger.repository.ts';
import { ReleaseService } from './release.service.ts';

/** Releases the bodies a certificate names as kept, once nobody waits for them: a ledger entry and a physical pass of their own. */
@Injectable()
export class ReleaseSweep implements OnApplicationBootstrap {
  constructor(
    private readonly active: ActiveWorker,
    private readonly release: ReleaseService,
    private readonly keeper: VaultKeeper,
    private readonly ledger: LedgerRepository,
    private readonly applier: LedgerApplier,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.active.add({ name: 'release', everyMs: this.config.RELEASE_POLL_MS, run: () => this.sweep() });
  }

  private async sweep(): Promise<void> {
    const found = await this.release.ofTheRest();
    if (found === undefined) return;
    const { free: messages } = found;
    const { position } = await this.keeper.state();
    await this.database.withClientTransaction(async (client) => {
      await this.release.forget(client, 'rest');
      if (messages.length === 0) return;
      const doom = { kind: 'release', requestId: randomUUIDv7(), accountId: null, subjects: [], messages } as const;
      await this.ledger.append(client, doom, position);
    });
    if (messages.length === 0) return;
    await this.applier.reach();
    await this.applier.physicalPass();
  }
}
