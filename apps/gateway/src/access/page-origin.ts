import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whose page a request comes from, as the browser says (RFC 6454 §7, Fetch Metadata). `unknown`: it says nothing, as programs do.
 * Every browser says it for what changes something, so that a session's write that does not is none of ours.
 */
export function pageOrigin(headers: IncomingHttpHeaders, own: string): 'own' | 'foreign' | 'unknown' {
  const { origin, 'sec-fetch-site': site } = headers;
  if (origin === undefined && site === undefined) return 'unknown';
  const foreign = (origin ?? own) !== own || (site ?? 'same-origin') !== 'same-origin';
  return foreign ? 'foreign' : 'own';
}
