import type { Submission } from '../accept/submission.ts';
import type { Options } from './options.ts';

/** Who hands a message in, and when. */
export interface Origin {
  /** Name of the sending domain. */
  readonly domain: string;
  readonly keyId: string;
  readonly acceptedAt: number;
  readonly originatingIp?: string;
}

/** What a submission has of its options and its origin, whichever way its content came. */
export function handedIn(
  { tags, variables, testMode, dkim, requireTls }: Options,
  { keyId, originatingIp }: Origin,
): Pick<Submission, keyof Omit<Options, 'headers'> | 'method' | 'keyId' | 'originatingIp'> {
  return {
    tags,
    variables,
    testMode,
    dkim,
    requireTls,
    method: 'http',
    keyId,
    ...(originatingIp ? { originatingIp } : {}),
  };
}
