import { MAIL_EVENTS } from '@lethe/contracts';
import { rewindGroup, type KafkaClient } from '@lethe/kafka';
import type { Search } from '@lethe/search';
import { indexName, periodOfIndex } from '../retention/event.lifecycle.ts';

export interface Rebuild {
  readonly indices: number;
  /** Events that are indexed again, less those that are past their limit or of the erased. */
  readonly records: number;
}

/**
 * Begins the projection anew: the service's group goes back to the beginning of `mail-events`, and the indices are deleted. The
 * service then indexes everything again when it starts, by the same code and under the same ids: everyone but the erased, whose
 * envelopes do not open. It is the same group, so that an erasure's barrier waits for what is being indexed again.
 *
 * The group first: a kill in between leaves nothing missing, only the indices as they were; repeat it.
 */
export async function rebuild(kafka: KafkaClient, search: Search, indexPrefix: string): Promise<Rebuild> {
  const records = await rewindGroup(kafka, MAIL_EVENTS);
  const found = await search.indicesOf(`${indexPrefix}events-*`);
  const periods = found.flatMap((name) => periodOfIndex(indexPrefix, name) ?? []);
  for (const period of periods) await search.deleteIndex(indexName(indexPrefix, period));
  return { indices: periods.length, records };
}
