import { readSync } from 'node:fs';

const CHUNK = 4 * 1024 * 1024;

/** Thousands of files, each with new buffers, keep the garbage collector busier than the search. */
const spare: Buffer[] = [];

/**
 * A file in chunks of at most 4 MiB, from `start` to `end` or as far as it goes when it is read. A chunk is overwritten when the
 * next one is asked for. Read synchronously: on a busy machine every hand-over to a thread waits its turn.
 */
export function* fileChunks(file: number, start = 0, end = Infinity): Generator<Buffer> {
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK);
  try {
    for (let position = start; position < end;) {
      const length = readSync(file, buffer, 0, Math.min(CHUNK, end - position), position);
      if (length === 0) return;
      yield buffer.subarray(0, length);
      position += length;
    }
  } finally {
    spare.push(buffer);
  }
}

export function readAt(file: number, position: number, length: number): Buffer {
  const octets = Buffer.alloc(length);
  return octets.subarray(0, readSync(file, octets, 0, length, position));
}
