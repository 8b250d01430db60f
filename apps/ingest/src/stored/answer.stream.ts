import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

const PIECE = 64 * 1_024;

/** An object as JSON, in pieces: a text of 25 MiB is not copied whole, however much of it has to be escaped. */
export function jsonPieces(value: Readonly<Record<string, unknown>>): Readable {
  return Readable.from(pieces(value), { objectMode: true, highWaterMark: 1 });
}

function* pieces(value: Readonly<Record<string, unknown>>): Generator<string> {
  let before = '{';
  for (const [name, member] of Object.entries(value)) {
    yield `${before}${JSON.stringify(name)}:`;
    before = ',';
    if (typeof member === 'string') yield* text(member);
    else yield JSON.stringify(member);
  }
  yield before === '{' ? '{}' : '}';
}

function* text(value: string): Generator<string> {
  yield '"';
  // Halves of a pair that a cut divides are escaped each (ECMA-262 §25.5.2.3), which means the same.
  for (let at = 0; at < value.length; at += PIECE) yield JSON.stringify(value.slice(at, at + PIECE)).slice(1, -1);
  yield '"';
}

/**
 * Resolves when the answer is out, or its client gone. Who does not take it in time is cut off: what it asked for is held in
 * memory until then.
 */
export async function sendWhole(reply: FastifyReply, payload: Readable | Buffer, withinMs: number): Promise<void> {
  const { raw } = reply;
  if (raw.destroyed) return;
  const closed = new Promise<void>((resolve) => raw.once('close', () => resolve()));
  const cut = setTimeout(() => raw.destroy(), withinMs);
  void reply.send(payload);
  await closed;
  clearTimeout(cut);
}
