import type { Submission } from '../accept/submission.ts';
import type { Options } from './options.ts';

/** Who hands a message in, and when. */
export interface Origin {
  /** Name of the sending domain. */
  readonly domain: string;
  /** Of the API key, or of the SMTP credential. */
  readonly keyId: string;
  readonly method: Submission['method'];
  readonly acceptedAt: number;
  readonly originatingIp?: string;
  /** By SMTP with `MAIL FROM:<>`. */
  readonly nullSender?: boolean;
}

/** What a submission has of its options and its origin, whichever way its content came. */
export function handedIn(
  { tags, variables, testMode, dkim, requireTls, skipVerification, unsubscribe, deliverAt }: Options,
  { keyId, method, originatingIp, nullSender }: Origin,
): Pick<Submission, keyof Omit<Options, 'headers'> | 'method' | 'keyId' | 'originatingIp' | 'nullSender'> {
  return {
    tags,
    variables,
    testMode,
    dkim,
    requireTls,
    ...(unsubscribe === undefined ? {} : { unsubscribe }),
    ...(skipVerification === undefined ? {} : { skipVerification }),
    ...(deliverAt === undefined ? {} : { deliverAt }),
    method,
    keyId,
    ...(originatingIp ? { originatingIp } : {}),
    ...(nullSender ? { nullSender } : {}),
  };
}

/** What a message says as its date: when it is sent, or readers would find it days down in their mailbox. */
export const sentAt = (
  { deliverAt = 0 }: Pick<Options, 'deliverAt'>,
  { acceptedAt }: Pick<Origin, 'acceptedAt'>,
): Date => new Date(Math.max(acceptedAt, deliverAt));
