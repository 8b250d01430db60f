import type { IncomingMessage, ServerResponse } from 'node:http';

/** How often a client is looked at, in each time it may stand still. */
const LOOKS = 4;

/**
 * Calls once when a client, for so long, neither sends what is waited for nor takes what is there for it. While it is the service that is
 * waited for, nothing counts: not its answer, and not a body that it does not read (undici times the one, and for the other pauses).
 * @returns what ends the watch.
 */
export function watchProgress(
  request: IncomingMessage,
  reply: ServerResponse,
  stallMs: number,
  stalled: () => void,
): () => void {
  let last = '';
  let standing = 0;
  const look = setInterval(() => {
    const now = `${request.socket.bytesRead} ${request.socket.bytesWritten} ${reply.writableLength}`;
    standing = isWaitedFor(request, reply) && now === last ? standing + 1 : 0;
    last = now;
    if (standing < LOOKS) return;
    clearInterval(look);
    stalled();
  }, stallMs / LOOKS).unref();
  return () => clearInterval(look);
}

/** It has not sent all while it is read (a pipe that is full pauses it), or has not taken all that was written to it. */
const isWaitedFor = (request: IncomingMessage, reply: ServerResponse): boolean =>
  (!request.complete && !request.isPaused()) || reply.writableLength > 0;
