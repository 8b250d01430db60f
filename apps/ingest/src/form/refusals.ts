import { ApiError } from '@lethe/service';

/** Refusals name the field and never quote what was in it, which may be personal. */
export const missing = (field: string): ApiError => new ApiError(400, `'${field}' parameter is missing`, { field });
export const invalid = (field: string, why: string): ApiError =>
  new ApiError(400, `'${field}' parameter is not valid: ${why}`, { field });
