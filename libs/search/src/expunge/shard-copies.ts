import type { Client, estypes } from '@elastic/elasticsearch';

/** A shard of an index, and where one copy of it stands. */
export interface ShardCopy {
  readonly index: string;
  readonly shard: string;
  readonly maxSeqNo: number;
  /** Every copy in sync has all operations up to here. */
  readonly globalCheckpoint: number;
  /** The last commit holds all operations up to here. */
  readonly committedTo: number;
  /** The last commit may hold operations up to here; once the global checkpoint has reached it, older commits go. */
  readonly committedAtMost: number;
  /** Merges keep what was deleted at this sequence number or later. */
  readonly retainedFrom: number;
  readonly merging: number;
  /** Search contexts that are open while nothing works in them: scrolls and points in time. */
  readonly heldContexts: number;
}

/** `stats` without the indices that are not there. */
export async function readCopies(client: Client, indices: readonly string[]): Promise<ShardCopy[]> {
  const answer = await client.indices.stats({
    ...only(indices),
    metric: ['docs', 'merge', 'search'],
    level: 'shards',
  });
  return Object.entries(answer.indices ?? {}).flatMap(([index, { shards }]) =>
    Object.entries(shards ?? {}).flatMap(([shard, copies]) => copies.map((copy) => shardCopy(index, shard, copy))),
  );
}

function shardCopy(index: string, shard: string, copy: estypes.IndicesStatsShardStats): ShardCopy {
  const { seq_no: seqNo, commit, retention_leases: retention, merges, search } = copy;
  const committed = (name: string): number => Number(commit?.user_data[name] ?? -1);
  const leases = (retention?.leases ?? []).map((lease) => lease.retaining_seq_no);
  const working = (search?.query_current ?? 0) + (search?.fetch_current ?? 0);
  return {
    index,
    shard,
    maxSeqNo: seqNo?.max_seq_no ?? -1,
    globalCheckpoint: seqNo?.global_checkpoint ?? -1,
    committedTo: committed('local_checkpoint'),
    committedAtMost: committed('max_seq_no'),
    retainedFrom: leases.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...leases),
    merging: merges?.current ?? 0,
    heldContexts: Math.max(0, (search?.open_contexts ?? 0) - working),
  };
}

/** Names of segments that hold deleted documents, and of all. A segment's name is never used again on its copy. */
export interface Segments {
  readonly dirty: ReadonlyMap<string, string>;
  readonly all: ReadonlySet<string>;
}

/** Every segment that is searched or committed, of every copy; `dirty` tells its index too. */
export async function readSegments(client: Client, indices: readonly string[]): Promise<Segments> {
  const answer = await client.indices.segments(only(indices));
  const dirty = new Map<string, string>();
  const all = new Set<string>();
  for (const [index, { shards }] of Object.entries(answer.indices)) {
    for (const [shard, copies] of Object.entries(shards)) {
      for (const { routing, segments } of [copies].flat()) {
        for (const [name, { deleted_docs: deleted }] of Object.entries(segments)) {
          const segment = `${index}/${shard}/${routing.node}/${name}`;
          all.add(segment);
          if (deleted > 0) dirty.set(segment, index);
        }
      }
    }
  }
  return { dirty, all };
}

/** Where the copies of an index are: changes when one comes, moves or goes. */
export interface Allocation {
  readonly id: string;
  readonly started: number;
}

/** Of each index that exists; `null` while a copy is not where it should be. */
export async function readAllocations(
  client: Client,
  indices: readonly string[],
): Promise<ReadonlyMap<string, Allocation | null>> {
  const state: unknown = await client.cluster.state({ ...only(indices), metric: 'routing_table' });
  const { routing_table: table } = state as { routing_table?: { indices?: Record<string, RoutingOfIndex> } };
  return new Map(
    Object.entries(table?.indices ?? {}).map(([index, { shards }]) => {
      const copies = Object.values(shards).flat();
      // A replica that is nowhere has no files; if it had some, its lease says so.
      const settled = copies.every(({ state, primary }) => state === 'STARTED' || (state === 'UNASSIGNED' && !primary));
      const ids = copies.map(({ allocation_id: allocation }) => allocation?.id ?? '-').toSorted();
      const started = copies.filter(({ state }) => state === 'STARTED').length;
      return [index, settled ? { id: ids.join(' '), started } : null];
    }),
  );
}

interface RoutingOfIndex {
  readonly shards: Record<
    string,
    ReadonlyArray<{
      readonly state: 'STARTED' | 'INITIALIZING' | 'RELOCATING' | 'UNASSIGNED';
      readonly primary: boolean;
      readonly allocation_id?: { readonly id: string };
    }>
  >;
}

/** An index that is deleted meanwhile is no error: then nothing of it is left. */
export function only(indices: readonly string[]) {
  // Elasticsearch takes no name for every name.
  if (indices.length === 0) throw new RangeError('no index was named');
  return { index: [...indices], ignore_unavailable: true, allow_no_indices: true };
}
