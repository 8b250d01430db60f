import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import { Batcher } from '@lethe/service';
import { SearchError } from '../search-error.ts';
import { ExpungeError } from './expunge-error.ts';
import type { ExpungeReason } from './expunge-error.ts';
import { mergeAway } from './merge-away.ts';
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

/**
 * Makes deletions physical (docs: forgetting). Elasticsearch only marks what is deleted or replaced; a merge drops it, but not
 * what a retention lease still keeps for copies to catch up with. So: refresh and flush, wait until every lease is past what was
 * deleted, merge segments with deleted documents, see that they are gone. About 30 s, nearly all of it waiting.
 *
 * The promise is about what was deleted before the call. Deletions that come meanwhile do not hold it up.
 *
 * Calls share the work: those that begin together begin with one refresh and flush, all that wait look together, and all whose
 * leases passed together are merged together.
 */
export class Expunge {
  private readonly begin: Batcher<readonly string[], Goal>;
  private readonly look: Batcher<readonly string[], Seen>;
  private readonly merge: Batcher<{ indices: readonly string[]; goal: Goal }, ExpungeError | undefined>;

  private readonly client: Client;

  constructor(client: Client) {
    this.client = client.child({ requestTimeout: REQUEST_MS });
    const shared = { maxItems: AT_ONCE, maxQueued: AT_ONCE, concurrency: 1 };
    this.begin = new Batcher<readonly string[], Goal>({ ...shared, lingerMs: 100 }, async (asked) => {
      const goals = await Promise.all(chunks(asked).map((indices) => this.start(indices)));
      const reached = new Map(goals.flatMap((goal) => [...goal.reached]));
      const dirty = new Map(goals.flatMap((goal) => [...goal.dirty]));
      return asked.map(() => ({ reached, dirty }));
    });
    this.look = new Batcher<readonly string[], Seen>({ ...shared, lingerMs: 20 }, async (asked) => {
      const read = await Promise.all(chunks(asked).map((indices) => this.read(indices)));
      const seen = new Map(read.flatMap((each) => [...each]));
      return asked.map(() => seen);
    });
    this.merge = new Batcher({ ...shared, lingerMs: 100 }, async (asked) => {
      const failed = new Map<string, ExpungeReason>();
      // One after the other: merging is what costs the cluster something.
      for (const indices of chunks(asked.map((each) => each.indices))) {
        const own = asked.flatMap(({ goal }) => [...goal.dirty]).filter(([, index]) => indices.includes(index));
        for (const [index, reason] of await mergeAway(this.client, indices, new Map(own))) failed.set(index, reason);
      }
      return asked.map(({ indices }) => failure(indices, failed));
    });
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
      await this.leasesPast(goal, indices, deadline);
      await this.merge.add({ indices, goal });
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
    for (;;) {
      const seen = await this.look.add(indices);
      const held = indices.filter((index) => seen.get(index)?.some(({ heldContexts }) => heldContexts > 0));
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

function chunks(asked: ReadonlyArray<readonly string[]>): string[][] {
  const names = [...new Set(asked.flat())];
  const parts = Array.from({ length: Math.ceil(names.length / NAMES_AT_ONCE) }, (_, part) => part * NAMES_AT_ONCE);
  return parts.map((from) => names.slice(from, from + NAMES_AT_ONCE));
}

function failure(indices: readonly string[], failed: ReadonlyMap<string, ExpungeReason>): ExpungeError | undefined {
  const own = indices.filter((index) => failed.has(index));
  return own.length === 0 ? undefined : new ExpungeError(failed.get(own[0] as string) as ExpungeReason, own);
}
