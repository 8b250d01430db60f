import type { DomainSettings } from '@lethe/contracts';
import { ApiError } from '@lethe/service';

/**
 * A sandbox domain sends to those its account approved, and to nobody else: all or nothing of a message. `subjects`: whom the
 * recipients are to the account, undefined for who is nobody to it.
 * @throws ApiError 403.
 */
export function assertApproved(
  { recipients }: NonNullable<DomainSettings['sandbox']>,
  subjects: readonly (string | undefined)[],
): void {
  const approved = new Set(recipients);
  if (subjects.every((subject) => subject !== undefined && approved.has(subject))) return;
  throw new ApiError(
    403,
    'A sandbox domain is not allowed to send to everybody: add the address to the authorized recipients of the sandbox',
  );
}
