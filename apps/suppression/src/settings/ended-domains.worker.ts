import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Log, Rounds } from '@lethe/service';
import { EntriesPublisher } from '../entries/entries.publisher.ts';
import { EntriesRepository } from '../entries/entries.repository.ts';
import type { Entry } from '../entries/entry.ts';
import { DomainsTable } from './domains.table.ts';

const ROUND_MS = 60_000;
const AT_ONCE = 500;

/**
 * Entries of a domain that was deleted go after it, in every replica. One round has to have missed it before: an entry may be here a
 * moment sooner than its new domain is in the table.
 */
@Injectable()
export class EndedDomainsWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private missing = new Set<string>();
  private readonly rounds: Rounds;

  constructor(
    private readonly repository: EntriesRepository,
    private readonly entries: EntriesPublisher,
    private readonly domains: DomainsTable,
    private readonly log: Log,
  ) {
    this.rounds = new Rounds({
      everyMs: ROUND_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('suppression.interrupted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  async work(): Promise<void> {
    const ended = (await this.repository.domains()).filter((id) => this.domains.has(id) === false);
    const due = ended.filter((id) => this.missing.has(id));
    this.missing = new Set(ended);
    let count = 0;
    for (const id of due) count += await this.entries.removeAll(() => this.some(id));
    if (count > 0) this.log.info('suppression.removed', { count });
  }

  /** None, too, once the service stops: the next start goes on. */
  private async some(domainId: string): Promise<Entry[]> {
    return this.rounds.stopped ? [] : this.repository.ofDomain(domainId, AT_ONCE);
  }
}
