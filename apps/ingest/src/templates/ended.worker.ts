import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, Log, Rounds } from '@lethe/service';
import { type IngestConfig } from '../config.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { ProgramCache } from './render/program.cache.ts';
import { TemplatesRepository } from './templates.repository.ts';

/** Templates whose domain is gone go after it, in every replica; and none that was removed stays in memory. */
@Injectable()
export class EndedTemplatesWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly templates: TemplatesRepository,
    private readonly programs: ProgramCache,
    private readonly domains: SendingDomains,
    private readonly log: Log,
    @Inject(CONFIG) config: IngestConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.RETENTION_WORK_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('templates.interrupted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  async work(): Promise<void> {
    this.programs.clear();
    let removed = 0;
    for (const domainId of await this.templates.domains()) {
      if (this.domains.has(domainId) === false) removed += await this.templates.removeAll(domainId);
    }
    if (removed > 0) this.log.info('templates.removed', { count: removed });
  }
}
