import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import type { ExpungeReason } from './expunge-error.ts';
import { only, readAllocations, readSegments } from './shard-copies.ts';
import type { Segments } from './shard-copies.ts';
import { seen } from './seen.ts';

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
  return failed;
}

async function mergeOnce(client: Client, indices: readonly string[], promised: Segments['dirty']): Promise<Failed> {
  // A merge that began before the leases passed carries deleted documents on, into a segment of its own.
  const busy = await seen(client, indices, SETTLE_MS, ({ merging }) => merging === 0);
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
