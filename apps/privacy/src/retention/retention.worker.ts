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
  /** Something was destroyed whose bytes may still lie in the files: at first, what a killed process left. */
  private owed = true;

  constructor(
    private readonly keeper: VaultKeeper,
    private readonly ledger: LedgerApplier,
    private readonly log: Log,
  ) {}

  async work(): Promise<void> {
    const made = await this.keeper.makeAhead();
    const gone = await this.keeper.forgetDue();
    for (const kind of KINDS) forgotten.add(gone[kind], { kind });
    const counts = { made, periods: gone.periods, bodies: gone.contentKeys, subjects: gone.subjects };
    const done = Object.values(counts).some((count) => count > 0);
    this.log[done ? 'info' : 'debug']('retention.worked', counts);
    if (gone.periods + gone.contentKeys + gone.subjects > 0) this.owed = true;
    if (!this.owed) return;
    await this.ledger.physicalPass();
    this.owed = false;
  }
}
