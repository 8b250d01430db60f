import type { Client } from '@elastic/elasticsearch';
import type { ExpungeReason } from './expunge-error.ts';
import { seen } from './seen.ts';
import { only } from './shard-copies.ts';

const SAFE_MS = 20_000;

/**
 * The files of merged segments go when no commit uses them. A copy keeps the last commit that every copy is known to have, so a
 * second flush is needed once they are known to have the first. Answers the indices where that did not come about.
 */
export async function releaseFiles(client: Client, indices: readonly string[]): Promise<Map<string, ExpungeReason>> {
  const flush = (of: readonly string[]) =>
    of.length === 0 ? undefined : client.indices.flush({ ...only(of), wait_if_ongoing: true });
  await flush(indices);
  const unsafe = await seen(
    client,
    indices,
    SAFE_MS,
    ({ committedAtMost, globalCheckpoint }) => committedAtMost <= globalCheckpoint,
  );
  // One without changes makes no commit: then the first was known at once, and the one before it has gone with it.
  await flush(indices.filter((index) => !unsafe.includes(index)));
  return new Map(unsafe.map((index) => [index, 'lease-held']));
}
