import { Injectable } from '@nestjs/common';
import { RETENTION, type Reading } from '@lethe/contracts';
import {
  counted,
  PersonalDataHolder,
  type ClosingScope,
  type Counts,
  type Erased,
  type Scope,
} from '@lethe/privacy-holder';
import { Search } from '@lethe/search';
import { Clock } from '@lethe/service';
import { EventIndex } from '../index/event.index.ts';
import { IndexerService } from '../index/indexer.service.ts';
import { EVENT_CLASSES } from '../retention/event.lifecycle.ts';
import { EventErasure } from './event.erasure.ts';

/** What `events` holds of people: documents about them, and mentions in documents about others. */
@Injectable()
export class EventsHolder extends PersonalDataHolder {
  constructor(
    private readonly erasure: EventErasure,
    private readonly indexer: IndexerService,
    private readonly index: EventIndex,
    private readonly search: Search,
    private readonly clock: Clock,
  ) {
    super();
  }

  /**
   * What was opened before the cut-off is indexed when this resolves, if by this process. Another's, and what was published and
   * not read yet, is what privacy's barrier waits for: an offset moves only after its event was indexed.
   */
  async fence(): Promise<void> {
    await this.indexer.settled();
  }

  async erase({ accountId, subjects }: Scope): Promise<Erased> {
    const removed = counted(await this.erasure.remove(accountId, subjects));
    await this.erasure.expunge();
    return { found: removed, removed, expungedAt: this.clock.now() };
  }

  async verify({ accountId, subjects }: Scope): Promise<Counts> {
    return counted(await this.erasure.count(accountId, subjects));
  }

  fenceAccount(): Promise<void> {
    return this.fence();
  }

  async eraseAccount({ accountId }: ClosingScope): Promise<Erased> {
    const removed = counted({ event: await this.erasure.removeAccount(accountId) });
    await this.erasure.expunge();
    return { found: removed, removed, expungedAt: this.clock.now() };
  }

  async verifyAccount({ accountId }: ClosingScope): Promise<Counts> {
    return counted({ event: await this.erasure.countAccount(accountId) });
  }

  async measure(): Promise<Reading[]> {
    return Promise.all(
      EVENT_CLASSES.map(async (each) => ({
        store: `events.index-${each}`,
        class: each,
        limitSeconds: RETENTION[each].limitMs / 1_000,
        oldestAt: await this.oldest(this.index.patternOf(each)),
      })),
    );
  }

  private async oldest(pattern: string): Promise<number | null> {
    const { aggregations } = await this.search.call((client) =>
      client.search<unknown, { oldest: { value: number | null } }>({
        index: pattern,
        allow_no_indices: true,
        ignore_unavailable: true,
        allow_partial_search_results: false,
        size: 0,
        aggs: { oldest: { min: { field: '@timestamp' } } },
      }),
    );
    return aggregations?.oldest.value ?? null;
  }
}
