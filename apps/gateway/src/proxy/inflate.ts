import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ApiError } from '@lethe/service';

export interface InflateLimits {
  /** Octets a body may have once it is inflated. */
  maxBytes: number;
  /** How many octets one may become, beyond the first `SMALL`. */
  maxRatio: number;
}

/** Below it no ratio is looked at: a short form compresses as well as a bomb does. */
const SMALL = 1_048_576;
const CHUNK = 64 * 1_024;

/** How a body is compressed; undefined: in a way that is not taken. */
export function codingOf({ 'content-encoding': coding }: IncomingHttpHeaders): 'gzip' | 'none' | undefined {
  const named = coding?.trim().toLowerCase() ?? '';
  if (named === '' || named === 'identity') return 'none';
  // RFC 9110 §8.4.1.3: the older name is the same.
  return named === 'gzip' || named === 'x-gzip' ? 'gzip' : undefined;
}

/**
 * The body without its compression (RFC 1952), as it comes and with backpressure: at no time more than some chunks of it are here.
 * Ends with an ApiError where it is no gzip, ends too early, or inflates to more than it may.
 */
export function inflated(request: IncomingMessage, { maxBytes, maxRatio }: InflateLimits): Transform {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  let octets = 0;
  const body = new Transform({
    highWaterMark: CHUNK,
    transform(chunk: Buffer, _encoding, done) {
      octets += chunk.length;
      if (octets > maxBytes) return done(new ApiError(413, 'The request is too large'));
      if (octets > SMALL && octets > maxRatio * gunzip.bytesWritten) {
        return done(new ApiError(413, `the body inflates to more than ${maxRatio} times its size`));
      }
      done(null, chunk);
    },
  });
  const malformed = new ApiError(400, 'Content-Encoding is gzip, but the body is not valid gzip');
  gunzip.on('error', () => body.destroy(malformed));
  // Whoever stops reading it frees what inflating it holds.
  body.on('close', () => gunzip.destroy());
  request.pipe(gunzip).pipe(body);
  return body;
}
