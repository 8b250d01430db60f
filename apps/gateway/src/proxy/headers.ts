import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { codingOf } from './inflate.ts';

/** All that a client may tell a service. Whatever is not named here (credentials, identity, forwarding, hop headers) stays outside. */
const PASSED_IN = [
  'accept',
  'accept-language',
  'content-type',
  'content-length',
  'content-disposition',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'range',
] as const;

/** RFC 9110 §7.6.1: these belong to one connection. */
const HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers of the request to a service: what the client may say, and what the gateway vouches for. */
export function inward(client: IncomingHttpHeaders, vouched: Record<string, string>): Record<string, string> {
  const headers = { ...vouched };
  for (const name of PASSED_IN) {
    const value = client[name];
    if (typeof value === 'string') headers[name] = value;
  }
  // Inflated on the way (inflate.ts), it has another length, which nobody knows yet.
  if (codingOf(client) === 'gzip') delete headers['content-length'];
  // Clients name a form although they send none; of multipart, nothing is malformed and of the other kind it is an empty form.
  if (!hasBody(client) && headers['content-type']?.toLowerCase().startsWith('multipart/')) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
  }
  return headers;
}

/** RFC 9112 §6.3: what announces a body. */
export const hasBody = ({ 'content-length': length, 'transfer-encoding': coding }: IncomingHttpHeaders): boolean =>
  coding !== undefined || (length !== undefined && Number(length) !== 0);

/**
 * What every answer says unless it says otherwise itself: it is data, and a browser that shows it runs and loads nothing of it,
 * whatever a stored message holds. No other origin reads it (CORS is not offered).
 */
export const UNTRUSTED: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Headers of the answer to the client: what the service says, and what the gateway said already (request id, limits). */
export function outward(
  service: IncomingHttpHeaders,
  own: ReturnType<FastifyReply['getHeaders']>,
): OutgoingHttpHeaders {
  const headers: Record<string, string | number | string[] | undefined> = { ...own };
  for (const [name, value] of Object.entries(service)) {
    if (value !== undefined && !HOP.has(name) && name !== 'x-request-id') headers[name] = value;
  }
  return headers;
}
