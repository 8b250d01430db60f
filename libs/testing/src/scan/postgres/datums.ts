import { mostOf, pglzInflated } from './pglz.ts';

/** One row of a TOAST table: a piece of a value that was too long for its own row. */
export interface Chunk {
  readonly valueId: number;
  readonly sequence: number;
  /** Of its data. */
  readonly offset: number;
  readonly length: number;
}

/** Of other methods than pglz (0) there is only lz4 (1), which the platform does not use. */
const METHOD_SHIFT = 30;
const SIZE_MASK = 0x3fff_ffff;
/** A row fits a page. */
const LONGEST = 8_192;
/** Shorter ones are not compressed (`PGLZ_strategy_default`). */
const SHORTEST_RAW = 32;
/** What opens by chance breaks off sooner. */
const SHORTEST_PART = 16;

/**
 * Values that PostgreSQL compressed, in rows, living, dead, or left behind in what a page has free: found by their own header
 * (varatt.h, `varattrib_4b`, little-endian machines), not by the page's list of rows. `step`: 4 where they are aligned.
 */
export function* compressedIn(octets: Buffer, step: 1 | 4, start = 0, end = octets.length): Generator<Buffer> {
  for (let at = start; at + 12 <= end; at += step) {
    if ((octets[at]! & 0b11) !== 0b10 || octets[at + 2]! > LONGEST >> 14 || octets[at + 3]! !== 0) continue;
    const length = octets.readUInt32LE(at) >>> 2;
    if (length < 12 || length > LONGEST || at + length > end) continue;
    const rawSize = octets.readUInt32LE(at + 4) & SIZE_MASK;
    if (rawSize <= length - 8 || rawSize > mostOf(length - 8)) continue;
    const opened = openCompressed(octets.subarray(at + 4, at + length));
    if (opened) yield opened;
  }
}

/** `stored`: the word with method and size, then the value, as a TOAST table keeps them too. Null if it is nothing. */
export function openCompressed(stored: Buffer): Buffer | null {
  if (stored.length < 8) return null;
  const word = stored.readUInt32LE(0);
  const rawSize = word & SIZE_MASK;
  if (word >>> METHOD_SHIFT !== 0 || rawSize < SHORTEST_RAW) return null;
  const { octets, whole } = pglzInflated(stored.subarray(4), rawSize);
  return whole || octets.length >= SHORTEST_PART ? octets : null;
}

/** `SizeofHeapTupleHeader` and one octet for alignment; what a WAL record keeps of it begins at `t_infomask2`. */
const HEADER = 24;
const INFOMASK2 = 18;
/** `TOAST_MAX_CHUNK_SIZE`. */
const CHUNK_OCTETS = 1_996;
/** Of 1 GiB, which is the largest value. */
const MOST_CHUNKS = 540_000;

/**
 * Rows of TOAST tables, by the form that all of them have: three columns, none of them null, the last a plain value.
 * `step`: 8 where rows are aligned.
 */
export function* chunksIn(octets: Buffer, step: 1 | 8, start = 0, end = octets.length): Generator<Chunk> {
  for (let row = start; row + HEADER + 12 < end; row += step) {
    const at = row + INFOMASK2;
    if (octets[at]! !== 3 || octets[at + 4]! !== HEADER || octets[at + 5]! !== 0) continue;
    // HEAP_NATTS_MASK; then of HEAP_HASNULL, HEAP_HASVARWIDTH and HEAP_HASEXTERNAL the second alone.
    if ((octets[at + 1]! & 0b111) !== 0 || (octets[at + 2]! & 0b111) !== 0b010) continue;
    const data = row + HEADER;
    const sequence = octets.readUInt32LE(data + 4);
    const header = octets.readUInt32LE(data + 8);
    const length = (header >>> 2) - 4;
    if ((header & 0b11) !== 0 || length < 1 || length > CHUNK_OCTETS || sequence > MOST_CHUNKS) continue;
    if (data + 12 + length > end) continue;
    yield { valueId: octets.readUInt32LE(data), sequence, offset: data + 12, length };
  }
}
