import { ApiError } from '@lethe/service';
import type { Submission } from './submission.ts';

/**
 * Each recipient's record carries all of this, sealed. More would not fit into a record with the people beside it, and
 * 1,000 recipients make a thousand of it.
 */
const MAX_OCTETS = 64 * 1024;

/**
 * Octets of what every recipient's envelope holds besides the recipient.
 * @throws ApiError 400 for more than a record can carry.
 */
export function envelopeOctets({ subject, messageIdHeader, attachments, tags, variables }: Submission): number {
  const octets = Buffer.byteLength(JSON.stringify({ subject, messageIdHeader, attachments, tags, variables }));
  if (octets <= MAX_OCTETS) return octets;
  throw new ApiError(400, `subject, names of attachments and variables are larger than ${MAX_OCTETS} octets together`, {
    field: 'subject',
  });
}
