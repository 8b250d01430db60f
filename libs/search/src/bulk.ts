import type { Client } from '@elastic/elasticsearch';
import { SearchError, errorType, isTemporary } from './search-error.ts';

export interface BulkItem {
  index: string;
  /** Deterministic, so that the same item twice is one document. */
  id: string;
  document: object;
  /** `create` (default) leaves what is there; `index` replaces it. */
  op?: 'create' | 'index';
  /** Of `index`: replaces this version alone. */
  onlyIf?: { seqNo: number; primaryTerm: number };
}

export interface BulkDeletion {
  index: string;
  id: string;
  op: 'delete';
}

export type BulkOutcome =
  | { outcome: 'ok' }
  /** Somebody was first, perhaps an earlier attempt: the id is there already, has another version, or (deleting) is not there. */
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
export async function bulk(client: Client, items: ReadonlyArray<BulkItem | BulkDeletion>): Promise<BulkOutcome[]> {
  if (items.length === 0) return [];
  const operations = items.flatMap(operation);
  try {
    const response = await client.bulk({ operations });
    return response.items.map((item) => outcomeOf(Object.values(item)[0] as ItemResult));
  } catch (error) {
    const failure = SearchError.from(error);
    if (failure.code === 'SEARCH_REFUSED') throw failure;
    return items.map(() => ({ outcome: 'retry', reason: failure.reason }));
  }
}

function operation(item: BulkItem | BulkDeletion): object[] {
  const about = { _index: item.index, _id: item.id };
  if (item.op === 'delete') return [{ delete: about }];
  const { op = 'create', onlyIf, document } = item;
  const version = onlyIf ? { if_seq_no: onlyIf.seqNo, if_primary_term: onlyIf.primaryTerm } : {};
  return [{ [op]: { ...about, ...version } }, document];
}

/** What one item's status means. A deletion that found nothing is a 404 without an error. */
export function outcomeOf({ status, error }: ItemResult): BulkOutcome {
  if (status >= 200 && status < 300) return { outcome: 'ok' };
  if (status === 409 || (status === 404 && error === undefined)) return { outcome: 'conflict' };
  const reason = errorType(error);
  return isTemporary(status, reason) ? { outcome: 'retry', reason } : { outcome: 'reject', reason };
}
