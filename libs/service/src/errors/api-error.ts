export interface ApiErrorDetails {
  /** Name of the request field that is wrong. */
  field?: string;
  /** Seconds after which a client may try again; a 503 without it says 1. */
  retryAfterSeconds?: number;
}

/**
 * An answer other than success. `message` is sent to the client as it is: say what to do, and never
 * repeat what the client sent.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, details: ApiErrorDetails = {}) {
    super(message);
    this.status = status;
    this.field = details.field;
    this.retryAfterSeconds = details.retryAfterSeconds ?? (status === 503 ? 1 : undefined);
  }
}
