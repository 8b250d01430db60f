import { createRequire } from 'node:module';

interface Message {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  readonly offsetDelta?: number;
  /** Ms; differences of clocks, so far below 2^53. */
  readonly timestampDelta?: number;
}

/** What kafkajs makes use of in its own encoder. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** Octets of a number as a variable-length integer in zigzag coding: (2n, or -2n - 1 below zero), seven bits in each. */
function sizeOf(value: number): number {
  let left = zigzag(value);
  let size = 1;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) size += 1;
  return size;
}

const zigzag = (value: number): number => (value >= 0 ? 2 * value : -2 * value - 1);

/** A record of a batch (Kafka protocol, record format v2), in one buffer of its very size. */
export function encodeRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers = {} }: Message): Encoded {
  const named = Object.entries(headers).flatMap(([name, each]) =>
    (Array.isArray(each) ? each : [each]).map((one) => [name, one] as const),
  );
  const parts = [key, value, ...named.flat()].map((part) => ({
    part: part ?? null,
    size: part === null || part === undefined ? -1 : Buffer.byteLength(part),
  }));
  let body = 1 + sizeOf(timestampDelta) + sizeOf(offsetDelta) + sizeOf(named.length);
  for (const { size } of parts) body += sizeOf(size) + Math.max(0, size);
  const buf = Buffer.allocUnsafe(sizeOf(body) + body);
  let at = 0;
  const putNumber = (number: number): void => {
    let left = zigzag(number);
    for (; left >= 0x80; left = Math.floor(left / 0x80)) buf[at++] = (left % 0x80) + 0x80;
    buf[at++] = left;
  };
  putNumber(body);
  // There are no attributes of single records.
  buf[at++] = 0;
  putNumber(timestampDelta);
  putNumber(offsetDelta);
  for (const [index, { part, size }] of parts.entries()) {
    // Headers come behind key and value, after their number.
    if (index === 2) putNumber(named.length);
    putNumber(size);
    if (typeof part === 'string') at += buf.write(part, at, size);
    else if (part) at += part.copy(buf, at);
  }
  if (named.length === 0) putNumber(0);
  return { buf, buffer: buf };
}

/**
 * Puts `encodeRecord` in the place of kafkajs' own, which has a buffer of at least 512 octets for the record and each of its headers:
 * 15 µs a record against 2. Of use before the first producer alone: kafkajs
 * loads what it produces with then, and takes what it finds here.
 */
export function quickRecords(): void {
  const require = createRequire(import.meta.url);
  const name = require.resolve('kafkajs/src/protocol/recordBatch/record/v0/index.js');
  require(name);
  const loaded = require.cache[name];
  if (loaded) loaded.exports = encodeRecord;
}
