import { ApiError, type Identity } from '@lethe/service';

/** Throws ApiError 403. */
export function assertOperator(caller: Identity, wanted: 'operator' | 'operator:read' = 'operator'): void {
  if (!caller.scopes.includes(wanted)) throw new ApiError(403, 'Only an operator may do that');
}
