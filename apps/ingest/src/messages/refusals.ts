import type { Result } from '@lethe/mail';
import { ApiError } from '@lethe/service';

/** A refusal of `libs/mail` as the 400 it is; the field is named, the text never quoted. */
export function taken<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { field, message } = result.refusal;
  throw new ApiError(400, `'${field}' parameter is not valid: ${message}`, { field });
}
