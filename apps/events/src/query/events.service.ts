import { setTimeout } from 'node:timers/promises';
import type { estypes } from '@elastic/elasticsearch';
import { Injectable } from '@nestjs/common';
import { Search, SearchError } from '@lethe/search';
import type { EventDocument } from '../index/event.document.ts';
import { EventIndex } from '../index/event.index.ts';
import { EventLimits } from '../retention/event.limits.ts';
import { toClauses } from './event.query.ts';
import type { Page } from './page.token.ts';

export interface FoundPage {
  readonly events: readonly EventDocument[];
  readonly next: Page;
  readonly previous: Page;
  readonly first: Page;
  readonly last: Page;
}

type SortKey = [at: number, id: string];

/** What Elasticsearch says while a shard is being started (or its node is away). */
const SHARD_NOT_READY = 'search_phase_execution_exception';
const RETRY_MS = 100;
const LONGEST_WAIT_MS = 3_000;

/** Reads pages of events by search, in the order of time; ties by id, so no event is seen twice or skipped. */
@Injectable()
export class EventsService {
  constructor(
    private readonly search: Search,
    private readonly index: EventIndex,
    private readonly limits: EventLimits,
  ) {}

  /** @throws ApiError 503 while it is unsure how long the domain keeps events. */
  async read(account: string, domain: string, page: Page): Promise<FoundPage> {
    const { query, cursor, backwards } = page;
    const kept = { range: { at: { gt: this.limits.since(account, domain) } } };
    const order = query.range.ascending === backwards ? 'desc' : 'asc';
    const hits = await this.find({
      size: query.limit,
      sort: [{ at: { order, unmapped_type: 'double' } }, { id: { order, unmapped_type: 'keyword' } }],
      ...(cursor ? { search_after: [...cursor] } : {}),
      query: { bool: { filter: [{ term: { account } }, { term: { domain } }, kept, ...toClauses(query)] } },
    });
    const found = backwards ? hits.toReversed() : hits;
    const events = found.flatMap(({ _source }) => (_source ? [_source] : []));
    const keys = events.map(({ at, id }): SortKey => [at, id]);
    // An empty page keeps its place: asking the same way again later returns what has arrived since. Turning back from
    // it begins at that end, or the event beside the empty page would be skipped.
    return {
      events,
      next: { query, cursor: keys.at(-1) ?? (backwards ? null : cursor), backwards: false },
      previous: { query, cursor: keys[0] ?? (backwards ? cursor : null), backwards: true },
      first: { query, cursor: null, backwards: false },
      last: { query, cursor: null, backwards: true },
    };
  }

  /**
   * All of it or nothing: a page with gaps would be taken for the truth. The index of a bucket that has just begun is not
   * searchable for a moment, so a short absence is waited for.
   */
  private async find(request: estypes.SearchRequest): Promise<estypes.SearchHit<EventDocument>[]> {
    for (let waited = 0; ; waited += RETRY_MS) {
      try {
        const { hits } = await this.search.call((client) =>
          client.search<EventDocument>({
            index: this.index.pattern,
            allow_no_indices: true,
            ignore_unavailable: true,
            allow_partial_search_results: false,
            track_total_hits: false,
            ...request,
          }),
        );
        return hits.hits;
      } catch (error) {
        const passing = error instanceof SearchError && error.reason === SHARD_NOT_READY && waited < LONGEST_WAIT_MS;
        if (!passing) throw error;
        await setTimeout(RETRY_MS);
      }
    }
  }
}
