import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { type EventClass, type Period } from '@lethe/contracts';
import { CONFIG, Clock } from '@lethe/service';
import { Search } from '@lethe/search';
import { type EventsConfig } from '../config.ts';
import {
  EVENT_CLASSES,
  goesAt,
  indexName,
  lifecyclePolicy,
  lifecycleSettings,
  periodOfIndex,
  policyName,
  type EventPeriod,
} from '../retention/event.lifecycle.ts';
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
    for (const each of EVENT_CLASSES) {
      await this.search.putLifecyclePolicy(policyName(this.prefix, each), lifecyclePolicy(each));
    }
    await this.search.putTemplate(`${this.prefix}events`, {
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
    // Those of before an upgrade would refuse fields that came with it.
    await this.search.addFields(this.pattern, EVENT_MAPPING);
  }

  /** Every event index. */
  get pattern(): string {
    return `${this.prefix}events-*`;
  }

  /** Every index of a class. */
  patternOf(eventClass: EventClass): string {
    return `${this.prefix}events-${eventClass}-*`;
  }

  nameOf(period: Period): string {
    return indexName(this.prefix, period);
  }

  /** Whether events of this bucket may be kept no longer: they are dropped, not indexed into a new index. */
  isPast(period: Period): boolean {
    return this.clock.now() >= goesAt(period);
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
    const created = this.search.createIndex(name, lifecycleSettings(this.prefix, period)).catch((error: unknown) => {
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

  /** Periods that have an index. One with another name under our pattern is none of ours. */
  async existing(): Promise<EventPeriod[]> {
    const found = await this.search.indicesOf(this.pattern);
    return found.flatMap((name) => periodOfIndex(this.prefix, name) ?? []);
  }

  /** Deletes the period's index, if there is one. */
  async drop(period: Period): Promise<void> {
    await this.search.deleteIndex(this.nameOf(period));
    this.forget(period);
  }

  private get prefix(): string {
    return this.config.INDEX_PREFIX;
  }
}
