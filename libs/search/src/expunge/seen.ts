import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import { readCopies } from './shard-copies.ts';
import type { ShardCopy } from './shard-copies.ts';

const POLL_MS = 100;

/** Looks until all copies of an index were seen as wanted, at the same look; answers the indices that never were. */
export async function seen(
  client: Client,
  indices: readonly string[],
  withinMs: number,
  wanted: (copy: ShardCopy) => boolean,
): Promise<string[]> {
  const deadline = performance.now() + withinMs;
  let waiting = [...indices];
  while (waiting.length > 0) {
    const copies = await readCopies(client, waiting);
    waiting = [...new Set(copies.filter((copy) => !wanted(copy)).map(({ index }) => index))];
    if (performance.now() > deadline) break;
    if (waiting.length > 0) await sleep(POLL_MS);
  }
  return waiting;
}
