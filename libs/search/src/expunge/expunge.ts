import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import { Batcher } from '@lethe/service';
import { SearchError } from '../search-error.ts';
import { ExpungeError } from './expunge-error.ts';
import type { ExpungeReason } from './expunge-error.ts';
import { mergeAway } from './merge-away.ts';
import { releaseFiles } from './release-files.ts';
import { only, readAllocations, readCopies, readSegments } from './shard-copies.ts';
import type { Segments, ShardCopy } from './shard-copies.ts';

/** Leases move every 30 s (Elasticsearch has no setting for it), and by then nearly all of a pass is over. */
const WITHIN_MS = 100_000;
/** A search between its phases ends meanwhile. */
const CONTEXTS_MS = 15_000;
/** Flushing and merging take longer than what a user waits for. */
const REQUEST_MS = 60_000;
const POLL_MS = 500;
const AT_ONCE = 10_000;

/** How things stood when the pass began. */
interface Goal {
  /** The sequence number each shard had reached, by `index/shard`. */
  readonly reached: ReadonlyMap<string, number>;
  /** Segments with deleted documents, and their indices. */
  readonly dirty: Segments['dirty'];
}

type Seen = ReadonlyMap<string, ReadonlyArray<ShardCopy> | null>;
type Failed = ReadonlyMap<string, ExpungeReason>;
interface Concerned {
  readonly indices: readonly string[];
  readonly goal: Goal;
}

/**
 * Makes deletions physical (docs: forgetting). Elasticsearch only marks what is deleted or replaced; a merge drops it, but not
 * what a retention lease still keeps for copies to catch up with. So: refresh and flush, wait until every lease is past what was
 * deleted, merge segments with deleted documents, see that they are gone. About 30 s, nearly all of it waiting; a moment for
 * indices without deleted documents.
 *
 * The promise is about what was deleted before the call. Deletions that come meanwhile do not hold it up.
 *
 * Calls share the work: those that begin together begin with one refresh and flush, all that wait look together, and all whose
 * leases passed together are merged together.
 */
export class Expunge {
  private readonly client: Client;
  private readonly begin: Batcher<readonly string[], Goal>;
  private readonly look: Batcher<readonly string[], Seen>;
  private readonly merge: Batcher<Concerned, Failed>;
  private readonly release: Batcher<readonly string[], Failed>;

  constructor(client: Client) {
    this.client = client.child({ requestTimeout: REQUEST_MS });
    this.begin = shared<readonly string[], Goal>(100, async (asked) => {
      const goals = await eachPart(asked, (indices) => this.start(indices));
      const reached = new Map(goals.flatMap((goal) => [...goal.reached]));
      const dirty = new Map(goals.flatMap((goal) => [...goal.dirty]));
      return { reached, dirty };
    });
    this.look = shared(20, async (asked) => merged(await eachPart(asked, (indices) => this.read(indices))));
    this.merge = shared(100, async (asked) => {
      const promised = new Map(asked.flatMap(({ goal }) => [...goal.dirty]));
      const all = asked.map(({ indices }) => indices);
      return merged(await eachPart(all, (indices) => mergeAway(this.client, indices, promised)));
    });
    this.release = shared(20, async (asked) =>
      merged(await eachPart(asked, (indices) => releaseFiles(this.client, indices))),
    );
  }

  /**
   * Resolves when no file of these indices holds a document that was deleted or replaced before the call; indices that do not
   * exist are ready. Throws ExpungeError after `withinMs`, SearchError when Elasticsearch is away.
   */
  async run(indices: readonly string[], withinMs = WITHIN_MS): Promise<void> {
    if (indices.length === 0) return;
    if (!indices.every(isOneIndex)) throw new TypeError('expunge takes names of indices, not patterns');
    const deadline = performance.now() + withinMs;
    try {
      const goal = await this.begin.add(indices);
      const dirty = new Set(goal.dirty.values());
      const concerned = indices.filter((index) => dirty.has(index));
      if (concerned.length > 0) {
        await this.leasesPast(goal, concerned, deadline);
        throwIfAny(concerned, await this.merge.add({ indices: concerned, goal }));
      }
      throwIfAny(indices, await this.release.add(indices));
      await this.contextsClosed(indices);
    } catch (error) {
      throw error instanceof ExpungeError ? error : SearchError.from(error);
    }
  }

  private async start(indices: readonly string[]): Promise<Goal> {
    await this.client.indices.refresh(only(indices));
    await this.client.indices.flush({ ...only(indices), wait_if_ongoing: true });
    const reached = new Map<string, number>();
    for (const { index, shard, maxSeqNo } of await readCopies(this.client, indices)) {
      const name = `${index}/${shard}`;
      reached.set(name, Math.max(maxSeqNo, reached.get(name) ?? -1));
    }
    const { dirty } = await readSegments(this.client, indices);
    return { reached, dirty };
  }

  private async leasesPast(goal: Goal, indices: readonly string[], deadline: number): Promise<void> {
    for (;;) {
      const seen = await this.look.add(indices);
      const behind = indices.flatMap((index) => this.behind(index, seen, goal) ?? []);
      if (behind.length === 0) return;
      if (performance.now() > deadline) {
        const reason = behind.some(({ reason: why }) => why === 'copies-moving') ? 'copies-moving' : 'lease-held';
        throw new ExpungeError(
          reason,
          behind.map(({ index }) => index),
        );
      }
      // An operation still under way left a gap in the commit: only another commit is without.
      const uncommitted = behind.filter(({ reason }) => reason === 'not-committed').map(({ index }) => index);
      if (uncommitted.length > 0) await this.client.indices.flush({ ...only(uncommitted), wait_if_ongoing: true });
      await nextLook();
    }
  }

  /** An open scroll or point in time uses the files of its moment, merged or not. One that is opened now finds the new ones. */
  private async contextsClosed(indices: readonly string[]): Promise<void> {
    const deadline = performance.now() + CONTEXTS_MS;
    for (let held = indices; ;) {
      const seen = await this.look.add(held);
      held = held.filter((index) => seen.get(index)?.some(({ heldContexts }) => heldContexts > 0));
      if (held.length === 0) return;
      if (performance.now() > deadline) throw new ExpungeError('search-context-open', held);
      await nextLook();
    }
  }

  /** `null` for the copies of an index that is in no state to be looked at. */
  private async read(indices: readonly string[]): Promise<Seen> {
    const allocations = await readAllocations(this.client, indices);
    const copies = await readCopies(this.client, indices);
    return new Map(
      [...allocations].map(([index, allocation]) => {
        const own = copies.filter((copy) => copy.index === index);
        return [index, own.length === allocation?.started ? own : null];
      }),
    );
  }

  private behind(
    index: string,
    seen: Seen,
    { reached }: Goal,
  ): { index: string; reason: ExpungeReason | 'not-committed' } | undefined {
    const copies = seen.get(index);
    if (copies === undefined) return undefined;
    if (copies === null || copies.length === 0) return { index, reason: 'copies-moving' };
    for (const { shard, globalCheckpoint, committedTo, retainedFrom } of copies) {
      const deletedTo = reached.get(`${index}/${shard}`);
      // The shard was not there to be asked when the pass began, so nothing is known of it.
      if (deletedTo === undefined) throw new ExpungeError('copies-moving', [index]);
      if (globalCheckpoint < deletedTo || retainedFrom <= deletedTo) return { index, reason: 'lease-held' };
      if (committedTo < deletedTo) return { index, reason: 'not-committed' };
    }
    return undefined;
  }
}

/** All who wait look at the same moments, so that they share one question. */
const nextLook = (): Promise<void> => sleep(POLL_MS - (performance.now() % POLL_MS));

/** A pass is expensive, and a pattern would make it one over everything. */
const isOneIndex = (name: string): boolean => /^[a-z0-9][^*?,]*$/.test(name);

/** Names stand in the path of a request, of which Elasticsearch reads 4,096 octets. */
const NAMES_AT_ONCE = 24;

/** Part after part: all at once would be a burst of work for the cluster. */
async function eachPart<R>(
  asked: ReadonlyArray<readonly string[]>,
  work: (indices: string[]) => Promise<R>,
): Promise<R[]> {
  const names = [...new Set(asked.flat())];
  const results: R[] = [];
  for (let from = 0; from < names.length; from += NAMES_AT_ONCE) {
    results.push(await work(names.slice(from, from + NAMES_AT_ONCE)));
  }
  return results;
}

/** All who ask at the time get the same answer. */
const shared = <T, R>(lingerMs: number, work: (asked: T[]) => Promise<R>): Batcher<T, R> =>
  new Batcher<T, R>({ maxItems: AT_ONCE, maxQueued: AT_ONCE, concurrency: 1, lingerMs }, async (asked) => {
    const answer = await work(asked);
    return asked.map(() => answer);
  });

const merged = <V>(maps: ReadonlyArray<ReadonlyMap<string, V>>): ReadonlyMap<string, V> =>
  new Map(maps.flatMap((map) => [...map]));

function throwIfAny(indices: readonly string[], failed: Failed): void {
  const own = indices.filter((index) => failed.has(index));
  const reason = failed.get(own[0] ?? '');
  if (reason !== undefined) throw new ExpungeError(reason, own);
}
