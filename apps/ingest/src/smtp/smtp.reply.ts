import { randomUUID } from 'node:crypto';
import { ApiError, isUnavailable, type Log } from '@lethe/service';

/** A reply other than success, as smtp-server takes it: the text starts with its enhanced status code (RFC 2034). */
export class SmtpRefusal extends Error {
  override readonly name = 'SmtpRefusal';

  constructor(
    readonly responseCode: number,
    text: string,
  ) {
    super(text);
  }
}

export const refuse = (code: number, text: string): SmtpRefusal => new SmtpRefusal(code, text);

/** What the HTTP door answers with these, in the codes of RFC 5321 §4.2 and RFC 3463. */
const CODES: Record<number, readonly [code: number, enhanced: string]> = {
  400: [554, '5.6.0'],
  403: [550, '5.7.1'],
  404: [550, '5.7.1'],
  413: [552, '5.3.4'],
  429: [450, '4.7.0'],
};

/**
 * The reply to an error. Permanent (5yz) only for what the client did: with everything that is our own trouble, known or not, it
 * is to try again, and nothing of its message was kept.
 */
export function refusalOf(error: unknown, log: Log): SmtpRefusal {
  if (error instanceof SmtpRefusal) return error;
  const known = error instanceof ApiError ? CODES[error.status] : undefined;
  if (error instanceof ApiError && known) return new SmtpRefusal(known[0], `${known[1]} ${error.message}`);
  if (error instanceof ApiError && error.status === 503) return new SmtpRefusal(451, `4.3.0 ${error.message}`);
  if (isUnavailable(error)) return refuse(451, '4.3.0 temporarily unavailable: try again');
  const errorId = randomUUID();
  log.error('smtp.failed', { errorId, error });
  return refuse(451, `4.3.0 internal error, try again; quote ${errorId} when you report it`);
}
