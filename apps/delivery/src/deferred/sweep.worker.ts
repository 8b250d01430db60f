import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { RETENTION } from '@lethe/contracts';
import { CONFIG, Log, Rounds } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';
import { HoldsRepository } from '../holding/holds.repository.ts';
import { ShredRepository } from '../shred/shred.repository.ts';
import { DeferredRepository } from './deferred.repository.ts';

/** Rounds come by a little late. */
const MARGIN_MS = 600_000;

/**
 * Takes rows out of the queue before they are older than their class allows (design §7). None should be: every one expires, and
 * ends then. But that is said by an attempt, and as long as nothing may be sent there are none; by now neither the body nor
 * the envelope can be opened any more. Pauses and cancellations that nothing is held against any more go as well.
 */
@Injectable()
export class SweepWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly deferred: DeferredRepository,
    private readonly shred: ShredRepository,
    private readonly holds: HoldsRepository,
    private readonly log: Log,
    @Inject(CONFIG) config: DeliveryConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.RETENTION_WORK_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('deferred.not-swept', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  private async work(): Promise<void> {
    let rows = 0;
    for (let some = 1; some > 0 && !this.rounds.stopped; rows += some) {
      some = await this.deferred.removeOlderThan(RETENTION.queue.limitMs - MARGIN_MS);
    }
    await this.holds.removeOver();
    if (rows > 0) this.log.warn('deferred.swept', { rows });
    await this.shred.removeDue();
  }
}
