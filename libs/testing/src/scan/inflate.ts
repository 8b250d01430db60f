import { Readable } from 'node:stream';
import { constants, createInflate, createInflateRaw, createZstdDecompress, inflateSync } from 'node:zlib';
import type { Chunks } from './scan.ts';

export type Codec = 'gzip' | 'zstd' | 'deflate' | 'raw deflate';

const OPENERS = {
  // Not createGunzip: it gives nothing at all where something else follows the compressed part.
  gzip: createInflateRaw,
  zstd: createZstdDecompress,
  deflate: createInflate,
  'raw deflate': createInflateRaw,
} as const;

/** What the compressed octets hold, as far as they open; `broken` hears why that was not to the end. Never throws. */
export async function* inflated(
  codec: Codec,
  chunks: Chunks,
  limit: number,
  broken: (reason: string) => void,
): AsyncGenerator<Buffer> {
  const source = Readable.from(codec === 'gzip' ? copies(chunks, gzipHeader) : copies(chunks, () => 0));
  const opener = source.pipe(OPENERS[codec]());
  source.once('error', (error) => opener.destroy(error));
  let size = 0;
  try {
    for await (const chunk of opener as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) {
        broken(`more than ${limit} octets`);
        return;
      }
      yield chunk;
    }
  } catch (error) {
    broken((error as NodeJS.ErrnoException).code ?? 'unreadable');
  } finally {
    source.destroy();
    opener.destroy();
  }
}

/** The stream reads ahead, and chunks are overwritten by then. */
async function* copies(chunks: Chunks, header: (octets: Buffer) => number): AsyncGenerator<Buffer> {
  let first = true;
  for await (const chunk of chunks) {
    yield Buffer.from(first ? chunk.subarray(header(chunk)) : chunk);
    first = false;
  }
}

/** RFC 1952 §2.3. A member that follows begins with a mark of its own, which `startsOf` finds. */
function gzipHeader(octets: Buffer): number {
  const flags = octets[3] ?? 0;
  let length = 10;
  if (flags & 4) length += 2 + (octets[length] ?? 0) + 256 * (octets[length + 1] ?? 0);
  for (const text of [8, 16]) if (flags & text) length = octets.indexOf(0, length) + 1 || octets.length;
  return flags & 2 ? length + 2 : length;
}

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Elasticsearch's own mark before what it compressed of its cluster state. */
const DFL = Buffer.from('DFL\0');

/** Where in the octets a compressed part may begin. */
export function startsOf(octets: Buffer): { codec: Codec; offset: number }[] {
  const starts: { codec: Codec; offset: number }[] = [];
  for (const offset of all(octets, GZIP)) {
    // RFC 1952 §2.3.1: the upper three flags are reserved.
    if ((octets[offset + 3] ?? 0xff) < 0x20) starts.push({ codec: 'gzip', offset });
  }
  for (const offset of all(octets, ZSTD)) starts.push({ codec: 'zstd', offset });
  for (const offset of all(octets, DFL)) starts.push({ codec: 'raw deflate', offset: offset + DFL.length });
  for (const offset of all(octets, Buffer.from([0x78]))) {
    if (opensAsZlib(octets, offset)) starts.push({ codec: 'deflate', offset });
  }
  return starts;
}

function* all(octets: Buffer, wanted: Buffer): Generator<number> {
  for (let at = octets.indexOf(wanted); at !== -1; at = octets.indexOf(wanted, at + 1)) yield at;
}

/** RFC 1950 §2.2 makes a weak mark: the letter x and one of four octets. Only what opens for a while is taken for one. */
function opensAsZlib(octets: Buffer, offset: number): boolean {
  const flags = octets[offset + 1];
  if (flags !== 0x01 && flags !== 0x5e && flags !== 0x9c && flags !== 0xda) return false;
  if (!mayBeDeflate(octets, offset + 2)) return false;
  const { stackTraceLimit } = Error;
  // Nearly all fail, and nobody reads where.
  Error.stackTraceLimit = 0;
  try {
    const sample = octets.subarray(offset, offset + 512);
    return inflateSync(sample, { finishFlush: constants.Z_SYNC_FLUSH }).length >= 8;
  } catch {
    return false;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What the first octets of a block say about themselves (RFC 1951 §3.2.3, §3.2.4, §3.2.7). */
function mayBeDeflate(octets: Buffer, at: number): boolean {
  if (at + 5 > octets.length) return false;
  const first = octets[at]!;
  switch ((first >> 1) & 0b11) {
    case 0:
      return (octets.readUInt16LE(at + 1) ^ octets.readUInt16LE(at + 3)) === 0xffff;
    case 1:
      return true;
    case 2:
      return first >> 3 <= 29 && (octets[at + 1]! & 0b11111) <= 29;
    default:
      return false;
  }
}
