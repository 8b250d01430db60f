import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, Log, Rounds } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';
import { StsRepository } from './sts.repository.ts';
import { StsService } from './sts.service.ts';

/** Fetched in one round. */
const AT_ONCE = 20;

/** Fetches policies again before they expire, so that who blocks their web server has to do so for as long; removes what is not needed. */
@Injectable()
export class StsWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly sts: StsService,
    private readonly kept: StsRepository,
    log: Log,
    @Inject(CONFIG) private readonly config: DeliveryConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.RETENTION_WORK_MS,
      work: () => this.work(),
      failed: (error) => log.warn('sts.not-refreshed', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  private async work(): Promise<void> {
    await this.kept.removeOver(this.config.MTA_STS_POLICIES);
    const due = await this.kept.due(this.config.MTA_STS_REFRESH_MS, AT_ONCE);
    await Promise.all(due.map((domain) => this.sts.refresh(domain)));
  }
}
