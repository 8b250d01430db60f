import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Transform } from 'node:stream';
import { hasBody } from './headers.ts';
import { codingOf, inflated } from './inflate.ts';
import type { InflateLimits } from './inflate.ts';

/** How long a client may go on sending what nobody reads any more, so that it gets to see its answer first. */
const LINGER_MS = 10_000;

/**
 * The body on its way to a service, undefined if there is none. It stands between, because an HTTP client destroys a
 * body it could not send, and destroying the incoming message would cut the connection the answer must go out on.
 */
export function bodyOf(request: IncomingMessage, limits: InflateLimits): Transform | undefined {
  if (!hasBody(request.headers)) return undefined;
  const body =
    codingOf(request.headers) === 'gzip'
      ? inflated(request, limits)
      : request.pipe(new PassThrough({ highWaterMark: 64 * 1_024 }));
  body.on('error', () => body.destroy());
  return body;
}

/** Reads and drops what is left of a request, for a bounded time. */
export function discard(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.unpipe();
  request.resume();
  const cut = setTimeout(() => request.destroy(), LINGER_MS).unref();
  request.once('close', () => clearTimeout(cut));
}
