import { ApiError } from '@lethe/service';

/**
 * Whether everybody a message is from may stand there: their address is in the list, or its domain. A domain does not stand for
 * those below it. `authors`: normal forms.
 * @throws ApiError 403.
 */
export function assertAllowed(allowed: readonly string[], authors: readonly string[]): void {
  const names = new Set(allowed);
  const isAllowed = (author: string): boolean =>
    names.has(author) || names.has(author.slice(author.lastIndexOf('@') + 1));
  if (authors.every(isAllowed)) return;
  throw new ApiError(403, 'The sender is not allowed: the settings of the domain or account say who may stand in From');
}
