import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, Log, Rounds } from '@lethe/service';
import { type IngestConfig } from '../config.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { ListsRepository } from './lists.repository.ts';

/** Lists whose domain is gone go after it, and members of lists that were removed and not emptied, in every replica. */
@Injectable()
export class EndedListsWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly lists: ListsRepository,
    private readonly domains: SendingDomains,
    private readonly log: Log,
    @Inject(CONFIG) config: IngestConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.RETENTION_WORK_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('lists.interrupted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  async work(): Promise<void> {
    const ended = (await this.lists.settled()).filter(({ domainId }) => this.domains.has(domainId) === false);
    const removed = await this.lists.remove(ended.map(({ id }) => id));
    for (const id of await this.lists.removed()) {
      while (!this.rounds.stopped && !(await this.lists.emptied(id)));
    }
    if (removed > 0) this.log.info('lists.removed', { count: removed });
  }
}
