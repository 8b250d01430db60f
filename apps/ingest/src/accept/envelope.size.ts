import { PlaceholderCount } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import type { Submission } from './submission.ts';

/**
 * Each recipient's record carries all of this, sealed. More would not fit into a record with the people beside it, and
 * 1,000 recipients make a thousand of it.
 */
const MAX_OCTETS = 64 * 1024;

/**
 * Octets of what the envelopes of all recipients hold besides who they are.
 * @throws ApiError 400 for more than a record can carry.
 */
export function envelopeOctets({
  subject,
  messageIdHeader,
  attachments,
  tags,
  variables,
  template,
  recipients,
}: Submission): number {
  const shared = Buffer.byteLength(
    JSON.stringify({ subject, messageIdHeader, attachments, tags, variables, template }),
  );
  const placeholders = new PlaceholderCount();
  placeholders.add(`${subject} ${JSON.stringify(variables)}`);
  let octets = 0;
  for (const recipient of recipients) {
    const own =
      recipient.role === 'each'
        ? placeholders.growth(recipient) + Buffer.byteLength(JSON.stringify(recipient.variables))
        : 0;
    if (shared + own > MAX_OCTETS) {
      const field = shared > MAX_OCTETS ? 'subject' : 'recipient-variables';
      throw new ApiError(
        400,
        `subject, names of attachments and variables are larger than ${MAX_OCTETS} octets together`,
        {
          field,
        },
      );
    }
    octets += shared + own;
  }
  return octets;
}
