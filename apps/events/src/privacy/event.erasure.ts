import { Injectable } from '@nestjs/common';
import type { estypes } from '@elastic/elasticsearch';
import { Search, SearchError, type BulkOutcome } from '@lethe/search';
import type { EventDocument } from '../index/event.document.ts';
import { EventIndex } from '../index/event.index.ts';
import { withoutSubjects } from '../index/event.people.ts';

/** Terms of one search that answers documents; well below Elasticsearch's 65,536, and 10,000 subjects are ten searches. */
const IDS_AT_ONCE = 1_000;
/** Without their sources. */
const DELETED_AT_ONCE = 1_000;
/** With their sources, of which one is at most what a Kafka record holds. */
const REWRITTEN_AT_ONCE = 100;
/** Each round meets only what came in between, or was changed by another erasure at the same moment. */
const ROUNDS = 20;

type Hit = estypes.SearchHit<EventDocument>;
type Clause = { terms: Record<string, string[]> };
type Query = { bool: estypes.QueryDslBoolQuery };

/** Documents that one round met, and changed. */
interface Round {
  readonly met: number;
  readonly done: number;
}

export interface DomainsOf {
  readonly account: string;
  readonly domains: readonly string[];
}

export interface ErasedEvents {
  /** Documents about one of the people, gone. */
  readonly event: number;
  /** Documents of others that mentioned one of them, and do no more. */
  readonly mention: number;
}

/** Takes people out of the event indices, by subject id and account. Safe to repeat, and beside other erasures. */
@Injectable()
export class EventErasure {
  constructor(
    private readonly search: Search,
    private readonly index: EventIndex,
  ) {}

  /** Deletions are marks until `expunge`. Throws SearchError; then a part may be done. */
  async remove(account: string, subjects: ReadonlySet<string>): Promise<ErasedEvents> {
    const event = await this.inParts(subjects, (some) =>
      this.deleteBy(of(account, { terms: { recipient_subject: some } })),
    );
    // Only after that: a document that is about one of them and mentions another goes as a whole.
    const mention = await this.inParts(subjects, (some) => this.rewriteOthers(account, some, subjects));
    return { event, mention };
  }

  /** Every event of an account; how many. */
  async removeAccount(account: string): Promise<number> {
    return this.inRounds(() => this.deleteBy({ bool: { filter: [{ term: { account } }] } }));
  }

  async countAccount(account: string): Promise<number> {
    await this.refresh();
    return this.total({ bool: { filter: [{ term: { account } }] } });
  }

  /** Events of these domains from before then; how many. */
  removeOlder(domains: readonly string[], before: number): Promise<number> {
    const filter = (some: string[]) => [{ terms: { domain: some } }, older(before)];
    return this.inParts(domains, (some) => this.deleteBy({ bool: { filter: filter(some) } }));
  }

  /** The same of accounts, whose domains are other ones than these. */
  async removeOlderOfOthers(accounts: readonly DomainsOf[], before: number): Promise<number> {
    let gone = 0;
    for (const { account, domains } of accounts) {
      const query = {
        filter: [{ term: { account } }, older(before)],
        must_not: parts(domains).map((some) => ({ terms: { domain: some } })),
      };
      gone += await this.inRounds(() => this.deleteBy({ bool: query }));
    }
    return gone;
  }

  /** Takes what was removed out of the files, also what an attempt removed that did not come this far. */
  async expunge(): Promise<void> {
    const periods = await this.index.existing();
    await this.search.expunge(periods.map((period) => this.index.nameOf(period)));
  }

  /**
   * Counts what is there, by the people of each document where `remove` goes by its list of subjects. All subjects at once
   * (a request has at most 10,000): in parts, a document that mentions two of them would count twice, as it does not in `remove`.
   */
  async count(account: string, subjects: ReadonlySet<string>): Promise<ErasedEvents> {
    await this.refresh();
    const all = [...subjects];
    const own = { terms: { recipient_subject: all } };
    return {
      event: await this.total(of(account, own)),
      mention: await this.total(of(account, { terms: { 'people.subject': all } }, own)),
    };
  }

  private inParts(ids: Iterable<string>, work: (some: string[]) => Promise<Round>): Promise<number> {
    return this.inRounds(async () => {
      const round = { met: 0, done: 0 };
      for (const some of parts(ids)) {
        const { met, done } = await work(some);
        round.met += met;
        round.done += done;
      }
      return round;
    });
  }

  /** Repeats until a round, on what is visible then, finds nothing. */
  private async inRounds(work: () => Promise<Round>): Promise<number> {
    let done = 0;
    for (let round = 1; round <= ROUNDS; round += 1) {
      await this.refresh();
      const result = await work();
      done += result.done;
      if (result.met === 0) return done;
    }
    throw new SearchError(409, 'documents_keep_coming');
  }

  private async deleteBy(query: Query): Promise<Round> {
    return this.eachPage({ size: DELETED_AT_ONCE, _source: false, query }, (hits) =>
      this.search.bulkDelete(hits.map(({ _index: index, _id: id }) => ({ index, id: id as string }))),
    );
  }

  private async rewriteOthers(account: string, some: string[], subjects: ReadonlySet<string>): Promise<Round> {
    const request = {
      size: REWRITTEN_AT_ONCE,
      seq_no_primary_term: true,
      query: of(account, { terms: { subjects: some } }),
    };
    return this.eachPage(request, (hits) =>
      this.search.bulkIndex(
        hits.map(({ _index: index, _id: id, _source, _seq_no: seqNo, _primary_term: primaryTerm }) => ({
          index,
          id: id as string,
          document: withoutSubjects(_source as EventDocument, subjects),
          op: 'index',
          // Another erasure may have taken somebody else out of it meanwhile: then it is read again in the next round.
          onlyIf: { seqNo: seqNo as number, primaryTerm: primaryTerm as number },
        })),
      ),
    );
  }

  private async eachPage(
    request: estypes.SearchRequest,
    write: (hits: Hit[]) => Promise<BulkOutcome[]>,
  ): Promise<Round> {
    const counted = { met: 0, done: 0 };
    for (let after: estypes.SortResults | undefined; ;) {
      const { hits } = await this.find({
        ...request,
        sort: [{ id: { order: 'asc', unmapped_type: 'keyword' } }],
        ...(after ? { search_after: after } : {}),
      });
      if (hits.length === 0) return counted;
      counted.met += hits.length;
      counted.done += countDone(await write(hits));
      after = hits.at(-1)?.sort;
    }
  }

  private async total(query: Query): Promise<number> {
    const { total } = await this.find({ size: 0, track_total_hits: true, query });
    return typeof total === 'number' ? total : (total?.value ?? 0);
  }

  /** All of it or an error: a shard that does not answer must not pass for one without the person. */
  private async find(request: estypes.SearchRequest): Promise<estypes.SearchHitsMetadata<EventDocument>> {
    const { hits } = await this.search.call((client) =>
      client.search<EventDocument>({
        index: this.index.pattern,
        allow_no_indices: true,
        ignore_unavailable: true,
        allow_partial_search_results: false,
        ...request,
      }),
    );
    return hits;
  }

  private async refresh(): Promise<void> {
    await this.search.call((client) => client.indices.refresh({ index: this.index.pattern, allow_no_indices: true }));
  }
}

const older = (before: number) => ({ range: { '@timestamp': { lt: before } } });

const of = (account: string, filter: Clause, not?: Clause): Query => ({
  bool: { filter: [{ term: { account } }, filter], ...(not ? { must_not: [not] } : {}) },
});

function parts(ids: Iterable<string>): string[][] {
  const all = [...ids];
  return Array.from({ length: Math.ceil(all.length / IDS_AT_ONCE) }, (_, part) =>
    all.slice(part * IDS_AT_ONCE, (part + 1) * IDS_AT_ONCE),
  );
}

/** @throws SearchError when one was not taken; an index that was deleted meanwhile took its documents with it. */
function countDone(outcomes: readonly BulkOutcome[]): number {
  for (const one of outcomes) {
    if (one.outcome === 'retry') throw new SearchError(503, one.reason);
    if (one.outcome === 'reject' && one.reason !== 'index_not_found_exception') throw new SearchError(400, one.reason);
  }
  return outcomes.filter(({ outcome }) => outcome === 'ok').length;
}
