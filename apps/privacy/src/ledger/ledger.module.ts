import { CONFIG } from '@lethe/service';
import { Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { ActiveWorker } from '../active/active.worker.ts';
import type { PrivacyConfig } from '../config.ts';
import { FenceRepeater } from './fence.repeater.ts';
import { LedgerApplier } from './ledger.applier.ts';
import { LedgerRepository } from './ledger.repository.ts';
import { ReleasedRepository } from './released.repository.ts';

/** Which keys have to be gone, and that they are: a vault that was started is opened here, once it has applied all of it. */
@Module({
  providers: [FenceRepeater, LedgerApplier, LedgerRepository, ReleasedRepository],
  exports: [LedgerApplier, LedgerRepository, ReleasedRepository],
})
export class LedgerModule implements OnApplicationBootstrap {
  constructor(
    private readonly active: ActiveWorker,
    private readonly applier: LedgerApplier,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  onApplicationBootstrap(): void {
    const { REQUEST_POLL_MS: everyMs, EXPUNGE_MS: expungeMs } = this.config;
    this.active.add({ name: 'ledger', everyMs, run: () => this.applier.ensure() });
    // A pass rewrites whole partitions: all messages of some seconds share one. Without anything destroyed it only asks.
    this.active.add({
      name: 'expunge',
      everyMs: expungeMs,
      run: () => this.applier.physicalPass().then(() => undefined),
    });
  }
}
