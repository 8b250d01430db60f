import { ApiError } from './api-error.ts';

const FIELD = 'Idempotency-Key';
const KEY = /^[\x20-\x7e]{1,256}$/;

/**
 * A client's `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), as it is: whatever it looks like, it is compared as a whole.
 * @throws ApiError 400 for one that is none.
 */
export function readIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && KEY.test(header)) return header;
  throw new ApiError(400, 'Idempotency-Key: must be 1 to 256 printable ASCII characters', { field: FIELD });
}

/** The draft (§2.7) has 422 for it; 409 is what clients of such APIs know, and says as well that it is no use to repeat it. */
export const otherRequest = (): ApiError =>
  new ApiError(409, 'Idempotency-Key: was used for another request', { field: FIELD });
