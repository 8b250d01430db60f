import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { bucketLimit, bucketStart, type Period } from '@lethe/contracts';
import { CONFIG, Clock } from '@lethe/service';
import { Search } from '@lethe/search';
import { type EventsConfig } from '../config.ts';
import { EVENT_ANALYSIS, EVENT_MAPPING } from './event.mapping.ts';

/** Names remembered as existing; more than any platform has at a time (one per class and bucket). */
const MAX_KNOWN = 1_000;

/** One index per class and bucket: deleting it forgets everything of that age at once (design §7). */
@Injectable()
export class EventIndex implements OnModuleInit {
  private readonly known = new Map<string, Promise<void>>();

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

  /**
   * Makes sure the bucket's index exists. The cluster makes none by itself, and age counts from the bucket's start, not
   * from when the first event happened to come: `origination_date` tells ILM so.
   */
  ensure(period: Period): Promise<void> {
    const name = this.nameOf(period);
    const known = this.known.get(name);
    if (known) return known;
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    const settings = { 'index.lifecycle.origination_date': bucketStart(period.bucket) };
    const created = this.search.createIndex(name, settings).catch((error: unknown) => {
      this.known.delete(name);
      throw error;
    });
    this.known.set(name, created);
    return created;
  }

  /** The index was found missing (deleted behind our back): the next event makes it anew. */
  forget(period: Period): void {
    this.known.delete(this.nameOf(period));
  }
}
