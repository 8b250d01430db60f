import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Transform } from 'node:stream';
import { ApiError } from '@lethe/service';
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

/** A form of whom nobody knows: it has a token or two, and what a provider answered. */
const SMALL_OCTETS = 32 * 1_024;

/**
 * The body, whole, of whom nobody knows: while it arrives they hold nothing that others wait for. Throws ApiError 413 for a large one, 408
 * after `withinMs`, or what is wrong with it.
 */
export async function smallBody(
  request: IncomingMessage,
  limits: InflateLimits,
  withinMs: number,
): Promise<Buffer | undefined> {
  const body = bodyOf(request, limits);
  if (!body) return undefined;
  const late = setTimeout(() => body.destroy(tooSlow()), withinMs);
  try {
    const pieces: Buffer[] = [];
    let octets = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      octets += piece.length;
      if (octets > SMALL_OCTETS) throw new ApiError(413, 'The request is too large');
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } catch (error) {
    discard(request);
    throw error;
  } finally {
    clearTimeout(late);
  }
}

export const tooSlow = (): ApiError => new ApiError(408, 'The request took too long');

/** Reads and drops what is left of a request, for a bounded time. */
export function discard(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.unpipe();
  request.resume();
  const cut = setTimeout(() => request.destroy(), LINGER_MS).unref();
  request.once('close', () => clearTimeout(cut));
}
