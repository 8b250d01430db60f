/** A bounded queue is full. The caller answers 503 or slows its source; nothing was taken. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
  readonly code = 'OVERLOADED';

  constructor(what = 'queue') {
    super(`The ${what} is full`);
  }
}
