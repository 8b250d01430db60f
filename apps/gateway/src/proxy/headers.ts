import type { IncomingHttpHeaders } from 'node:http';

/** All that a client may tell a service. Whatever is not named here (credentials, identity, forwarding, hop headers) stays outside. */
const PASSED_IN = [
  'accept',
  'accept-language',
  'content-type',
  'content-length',
  'content-encoding',
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
  return headers;
}

/** Headers of the answer to the client. */
export function outward(service: IncomingHttpHeaders, requestId: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(service)) {
    if (value !== undefined && !HOP.has(name)) headers[name] = value;
  }
  headers['x-request-id'] = requestId;
  return headers;
}
