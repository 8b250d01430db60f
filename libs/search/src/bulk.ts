import type { Client } from '@elastic/elasticsearch';
import { SearchError, errorType, isTemporary } from './search-error.ts';

export interface BulkItem {
  index: string;
  /** Deterministic, so that the same item twice is one document. */
  id: string;
  document: object;
  /** `create` (default) leaves what is there; `index` replaces it. */
  op?: 'create' | 'index';
}

export type BulkOutcome =
  | { outcome: 'ok' }
  /** The id is there already: an earlier attempt got through. */
  | { outcome: 'conflict' }
  /** Nothing wrong with the document. */
  | { outcome: 'retry'; reason: string }
  /** This document will never be taken. `reason` is Elasticsearch's error type. */
  | { outcome: 'reject'; reason: string };

interface ItemResult {
  status: number;
  error?: unknown;
}

/**
 * Sends the items in one request and answers one outcome per item, in order. The caller bounds the
 * request's size (Elasticsearch takes 100 MB; some MB work best).
 * Throws SearchError when the whole request was refused for good.
 */
export async function bulkIndex(client: Client, items: readonly BulkItem[]): Promise<BulkOutcome[]> {
  if (items.length === 0) return [];
  const operations = items.flatMap(({ index, id, document, op = 'create' }) => [
    { [op]: { _index: index, _id: id } },
    document,
  ]);
  try {
    const response = await client.bulk({ operations });
    return response.items.map((item) => outcomeOf(Object.values(item)[0] as ItemResult));
  } catch (error) {
    const failure = SearchError.from(error);
    if (failure.code === 'SEARCH_REFUSED') throw failure;
    return items.map(() => ({ outcome: 'retry', reason: failure.reason }));
  }
}

/** What one item's status means. */
export function outcomeOf({ status, error }: ItemResult): BulkOutcome {
  if (status >= 200 && status < 300) return { outcome: 'ok' };
  if (status === 409) return { outcome: 'conflict' };
  const reason = errorType(error);
  return isTemporary(status, reason) ? { outcome: 'retry', reason } : { outcome: 'reject', reason };
}
