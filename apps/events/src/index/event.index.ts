import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { bucketLimit, type Period } from '@lethe/contracts';
import { CONFIG, Clock } from '@lethe/service';
import { Search } from '@lethe/search';
import { type EventsConfig } from '../config.ts';
import { EVENT_ANALYSIS, EVENT_MAPPING } from './event.mapping.ts';

/** One index per class and bucket: deleting it forgets everything of that age at once (design §7). */
@Injectable()
export class EventIndex implements OnModuleInit {
  constructor(
    private readonly search: Search,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: EventsConfig,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.search.putTemplate(`${this.config.INDEX_PREFIX}events`, {
      patterns: [this.pattern],
      priority: 500,
      settings: {
        'index.number_of_shards': 1,
        'index.number_of_replicas': this.config.INDEX_REPLICAS,
        'index.refresh_interval': `${this.config.INDEX_REFRESH_MS}ms`,
        analysis: EVENT_ANALYSIS,
      },
      mappings: EVENT_MAPPING,
    });
  }

  /** Every event index. */
  get pattern(): string {
    return `${this.config.INDEX_PREFIX}events-*`;
  }

  nameOf(period: Period): string {
    return `${this.config.INDEX_PREFIX}events-${period.class}-${period.bucket}`;
  }

  /** Whether events of this bucket may be kept no longer: they are dropped, not indexed into a new index. */
  isPast(period: Period): boolean {
    return this.clock.now() >= bucketLimit(period.class, period.bucket);
  }
}
