import { errors } from '@elastic/elasticsearch';

/**
 * A failed call to Elasticsearch. The client's own errors carry request and response bodies, so
 * documents: of them only the status and Elasticsearch's error type are kept.
 */
export class SearchError extends Error {
  override readonly name = 'SearchError';
  /** `SEARCH_UNAVAILABLE`: away, overloaded or out of disk; again later. `SEARCH_REFUSED`: not like that. */
  readonly code: 'SEARCH_UNAVAILABLE' | 'SEARCH_REFUSED';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Elasticsearch's error type, such as `index_not_found_exception`, or `no_answer`. */
  readonly reason: string;

  constructor(status: number, reason: string) {
    super(status === 0 ? 'Elasticsearch did not answer' : `Elasticsearch answered ${status} (${reason})`);
    this.status = status;
    this.reason = reason;
    this.code = isTemporary(status, reason) ? 'SEARCH_UNAVAILABLE' : 'SEARCH_REFUSED';
  }

  static from(error: unknown): SearchError {
    if (error instanceof SearchError) return error;
    if (error instanceof errors.ResponseError) {
      return new SearchError(error.statusCode ?? 0, errorType((error.body as { error?: unknown })?.error));
    }
    if (isWithoutAnswer(error)) return new SearchError(0, 'no_answer');
    return new SearchError(400, error instanceof Error ? error.name : 'unknown');
  }
}

/** Whether the same request can succeed later. A block is lifted when the disk has room again. */
export function isTemporary(status: number, reason: string): boolean {
  return status === 0 || status === 429 || status >= 500 || reason === 'cluster_block_exception';
}

/** The `type` of an Elasticsearch error, never its `reason`: that text quotes the document. */
export function errorType(error: unknown): string {
  const type = typeof error === 'string' ? error : (error as { type?: unknown } | undefined)?.type;
  return typeof type === 'string' && /^[a-z_]{1,80}$/.test(type) ? type : 'unknown';
}

function isWithoutAnswer(error: unknown): boolean {
  return (
    error instanceof errors.ConnectionError ||
    error instanceof errors.TimeoutError ||
    error instanceof errors.NoLivingConnectionsError ||
    error instanceof errors.RequestAbortedError
  );
}
