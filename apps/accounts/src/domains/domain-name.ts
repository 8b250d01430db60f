import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { domainNotFound } from './own-domain.ts';

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A sending domain's name in lower case and IDNA form (RFC 5891), undefined if it is none. */
export function normalDomain(text: string): string | undefined {
  // The URL parser behind domainToASCII would take `a.example` out of `a.example/b`.
  if (/[/?#%\\\s]/.test(text)) return undefined;
  const name = domainToASCII(text);
  const labels = name.split('.');
  const whole = name.length <= 253 && labels.length > 1 && labels.every((label) => LABEL.test(label));
  // All digits at the end: an IPv4 address, no name (RFC 3696 §2).
  return whole && !/^\d+$/.test(labels.at(-1) ?? '') ? name : undefined;
}

export const domainName = z.string('is missing').transform((text, context) => {
  const name = normalDomain(text);
  if (name !== undefined) return name;
  context.addIssue({ code: 'custom', message: 'must be a domain name such as mail.example.com' });
  return z.NEVER;
});

/** A domain's name in a path. Throws ApiError 404: what is no domain name is no known domain either. */
export function knownDomain(text: string): string {
  const normal = normalDomain(text);
  if (normal === undefined) throw domainNotFound();
  return normal;
}
