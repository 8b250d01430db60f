/** Why deleted documents are still in the files. */
export type ExpungeReason =
  /** A retention lease keeps deleted documents; that of a copy that is away, for as long as twelve hours. */
  | 'lease-held'
  /** A shard has no primary, or a copy is being moved or made. */
  | 'copies-moving'
  | 'merge-unfinished'
  /** A scroll or a point in time keeps old files open; at most for the cluster's `search.max_keep_alive`. */
  | 'search-context-open';

/** An index could not be freed of its deleted documents in time. They are deleted, but still in its files: ask again. */
export class ExpungeError extends Error {
  override readonly name = 'ExpungeError';
  /** It passes: the callers try again. */
  readonly code = 'EXPUNGE_UNAVAILABLE';
  readonly reason: ExpungeReason;
  readonly indices: readonly string[];

  constructor(reason: ExpungeReason, indices: readonly string[]) {
    super(`Deleted documents are still in the files of ${indices.join(', ')} (${reason}): ask again later`);
    this.reason = reason;
    this.indices = indices;
  }
}
