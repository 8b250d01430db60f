/**
 * A failed call to the bucket. Whatever the reason, what was asked for may work later and nothing is decided by it: mail is not
 * accepted, or waits. The client's own error says which key it was about; of it only status and kind are kept.
 */
export class BucketError extends Error {
  override readonly name = 'BucketError';
  readonly code = 'BUCKET_UNAVAILABLE';

  constructor(
    /** HTTP status; 0 when there was no answer. */
    readonly status: number,
    /** The S3 error code, such as `NoSuchBucket`, that of the connection, or what is wrong with the bucket. */
    readonly reason: string,
  ) {
    // Logs say names, never messages.
    const cause = Object.assign(new Error(reason), { name: reason });
    super(status === 0 ? `The bucket cannot be used (${reason})` : `The bucket answered ${status} (${reason})`, {
      cause,
    });
  }

  static from(error: unknown): BucketError {
    if (error instanceof BucketError) return error;
    const { name, code, $metadata } = error as {
      name?: unknown;
      code?: unknown;
      $metadata?: { httpStatusCode?: number };
    };
    const reason =
      ([code, name].find((word) => typeof word === 'string' && /^[A-Za-z_]{1,60}$/.test(word)) as string) ?? 'unknown';
    return new BucketError($metadata?.httpStatusCode ?? 0, reason);
  }
}
