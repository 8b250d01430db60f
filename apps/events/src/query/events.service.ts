import { Injectable } from '@nestjs/common';
import { Search } from '@lethe/search';
import type { EventDocument } from '../index/event.document.ts';
import { EventIndex } from '../index/event.index.ts';
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

/** Reads pages of events by search, in the order of time; ties by id, so no event is seen twice or skipped. */
@Injectable()
export class EventsService {
  constructor(
    private readonly search: Search,
    private readonly index: EventIndex,
  ) {}

  async read(account: string, domain: string, page: Page): Promise<FoundPage> {
    const { query, cursor, backwards } = page;
    const order = query.range.ascending === backwards ? 'desc' : 'asc';
    const { hits } = await this.search.call((client) =>
      client.search<EventDocument>({
        index: this.index.pattern,
        allow_no_indices: true,
        ignore_unavailable: true,
        size: query.limit,
        track_total_hits: false,
        sort: [{ at: { order, unmapped_type: 'double' } }, { id: { order, unmapped_type: 'keyword' } }],
        ...(cursor ? { search_after: [...cursor] } : {}),
        query: { bool: { filter: [{ term: { account } }, { term: { domain } }, ...toClauses(query)] } },
      }),
    );
    const found = backwards ? hits.hits.toReversed() : hits.hits;
    const events = found.flatMap(({ _source }) => (_source ? [_source] : []));
    const keys = events.map(({ at, id }): SortKey => [at, id]);
    // An empty page keeps its place: asking its `next` again later returns what has arrived since.
    return {
      events,
      next: { query, cursor: keys.at(-1) ?? cursor, backwards: false },
      previous: { query, cursor: keys[0] ?? cursor, backwards: true },
      first: { query, cursor: null, backwards: false },
      last: { query, cursor: null, backwards: true },
    };
  }
}
