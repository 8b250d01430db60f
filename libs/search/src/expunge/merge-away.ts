import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import type { ExpungeReason } from './expunge-error.ts';
import { only, readAllocations, readCopies, readSegments } from './shard-copies.ts';
import type { Segments, ShardCopy } from './shard-copies.ts';

const ROUNDS = 3;
/** One bucket's index takes seconds; this only says when to stop waiting. */
const MERGE_MS = 300_000;
const SETTLE_MS = 20_000;
const POLL_MS = 100;

type Failed = ReadonlyMap<string, ExpungeReason>;

/**
 * Merges away what is deleted in these indices; the leases are past it. `promised` are segments that held deleted documents when
 * the pass began: whatever happens, they must go. Answers the indices where it did not work, and why.
 */
export async function mergeAway(
  client: Client,
  indices: readonly string[],
  promised: Segments['dirty'],
): Promise<Failed> {
  let failed: Failed = new Map();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const left = round === 1 ? indices : [...failed.keys()];
    if (left.length > 0) failed = await mergeOnce(client, left, promised);
  }
  const merged = indices.filter((index) => !failed.has(index));
  return new Map([...failed, ...(await releaseFiles(client, merged))]);
}

async function mergeOnce(client: Client, indices: readonly string[], promised: Segments['dirty']): Promise<Failed> {
  // A merge that began before the leases passed carries deleted documents on, into a segment of its own.
  const busy = await waitFor(client, indices, ({ merging }) => merging === 0);
  if (busy.length > 0) return new Map(indices.map((index) => [index, 'merge-unfinished']));
  const allocations = await readAllocations(client, indices);
  const before = await readSegments(client, indices);
  const concerned = [...new Set(before.dirty.values())];
  if (concerned.length > 0) {
    // By default a segment of which less than a tenth is deleted is left alone. It is about this kind of merge only, so it stays.
    const settings = { 'index.merge.policy.expunge_deletes_allowed': 0 };
    await client.indices.putSettings({ ...only(concerned), settings });
    const merge = { ...only(concerned), only_expunge_deletes: true, flush: true };
    await client.indices.forcemerge(merge, { requestTimeout: MERGE_MS });
    await client.indices.refresh(only(concerned));
  }
  const unmerged = await findUnmerged(client, concerned, before, promised);
  const moved = [...(await readAllocations(client, indices))].filter(([index, copies]) => {
    return copies === null || copies.id !== allocations.get(index)?.id;
  });
  return new Map<string, ExpungeReason>([
    ...unmerged.map((index) => [index, 'merge-unfinished'] as const),
    ...moved.map(([index]) => [index, 'copies-moving'] as const),
  ]);
}

/**
 * Which indices may still have a segment with what was deleted before. All are merged, except segments that
 *
 * - hold later deletions alone, which the leases keep: updates and other erasures of the same index cannot keep a pass from ending;
 * - another merge had in hand. It began after the leases passed, so what was deleted is gone with its end: once a moment has been
 *   seen at which no node was merging, none is queued either.
 */
async function findUnmerged(
  client: Client,
  concerned: readonly string[],
  before: Segments,
  promised: Segments['dirty'],
): Promise<string[]> {
  if (concerned.length === 0) return [];
  const { all } = await readSegments(client, concerned);
  const stay = (segments: Segments['dirty']): string[] => [
    ...new Set([...segments].filter(([segment]) => all.has(segment)).map(([, index]) => index)),
  ];
  const [broken, stayed] = [stay(promised), stay(before.dirty)];
  if (broken.length > 0) return broken;
  if (stayed.length === 0) return [];
  const deadline = performance.now() + SETTLE_MS;
  while (performance.now() < deadline) {
    const { nodes, _nodes: asked } = await client.nodes.stats({ metric: 'indices', index_metric: 'merge' });
    const quiet = Object.values(nodes).every(({ indices }) => indices?.merges?.current === 0);
    if (quiet && asked?.failed === 0) return [];
    await sleep(POLL_MS);
  }
  return stayed;
}

/**
 * Files of merged segments go when no commit uses them. A copy keeps the last commit that every copy is known to have, so a second
 * flush is needed once they are known to have the first.
 */
async function releaseFiles(client: Client, indices: readonly string[]): Promise<Failed> {
  const flush = (of: readonly string[]) =>
    of.length === 0 ? undefined : client.indices.flush({ ...only(of), force: true, wait_if_ongoing: true });
  await flush(indices);
  const unsafe = await waitFor(
    client,
    indices,
    ({ committedAtMost, globalCheckpoint }) => committedAtMost <= globalCheckpoint,
  );
  await flush(indices.filter((index) => !unsafe.includes(index)));
  return new Map(unsafe.map((index) => [index, 'lease-held']));
}

/** Waits until all copies of an index were seen as wanted, at the same look; answers the indices that never were. */
async function waitFor(
  client: Client,
  indices: readonly string[],
  wanted: (copy: ShardCopy) => boolean,
): Promise<string[]> {
  const deadline = performance.now() + SETTLE_MS;
  let waiting = [...indices];
  while (waiting.length > 0) {
    const copies = await readCopies(client, waiting);
    waiting = [...new Set(copies.filter((copy) => !wanted(copy)).map(({ index }) => index))];
    if (performance.now() > deadline) break;
    if (waiting.length > 0) await sleep(POLL_MS);
  }
  return waiting;
}
