import { Log, metrics } from '@lethe/service';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { LedgerApplier } from '../ledger/ledger.applier.ts';

const KINDS = ['periods', 'contentKeys', 'subjects'] as const;
const forgotten = metrics.counter('lethe.retention.forgotten', { kind: KINDS });

/**
 * Makes the vault forget on time: secrets that are due are destroyed, and leave the files. Those of the time to come are made
 * ahead, so that whoever seals first in a new period waits for nothing.
 */
@Injectable()
export class RetentionWorker {
  constructor(
    private readonly keeper: VaultKeeper,
    private readonly ledger: LedgerApplier,
    private readonly log: Log,
  ) {}

  async work(): Promise<void> {
    try {
      await this.forget();
    } finally {
      // Also when it failed half-way, and for what a killed process left: what was destroyed is marked, and without marks it only asks.
      await this.ledger.physicalPass();
    }
    // Last, since it needs an open vault: one that is closed forgets all the same.
    const made = await this.keeper.makeAhead();
    if (made > 0) this.log.info('retention.made-ahead', { made });
  }

  private async forget(): Promise<void> {
    const gone = await this.keeper.forgetDue();
    for (const kind of KINDS) forgotten.add(gone[kind], { kind });
    const counts = { periods: gone.periods, bodies: gone.contentKeys, subjects: gone.subjects };
    const any = Object.values(counts).some((count) => count > 0);
    this.log[any ? 'info' : 'debug']('retention.forgotten', counts);
  }
}
