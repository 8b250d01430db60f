import { z } from 'zod';
import { normalDomain } from '../domains/domain-name.ts';

/** RFC 5321 §4.5.3.1.1: 64 octets before the @; of these a login needs no more than what every client can type. */
const LOCAL = /^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?$/;

/**
 * The part of a login before the @, in lower case. It is given alone or as a full address, which must be of this domain
 * (Python's SDK cuts the domain off, others do not). Undefined if it is no login of this domain.
 */
export function localPart(text: string, domain: string): string | undefined {
  const at = text.lastIndexOf('@');
  if (at >= 0 && normalDomain(text.slice(at + 1)) !== domain) return undefined;
  const local = (at < 0 ? text : text.slice(0, at)).toLowerCase();
  return LOCAL.test(local) ? local : undefined;
}

/** Long passwords cost nothing more than short ones; below eight characters guessing is too cheap (NIST SP 800-63B §5.1.1.2). */
export const chosenPassword = z
  .string('is missing')
  .min(8, 'must have at least 8 characters')
  .max(128, 'must have at most 128 characters');
