import type { FileHandle } from 'node:fs/promises';

const CHUNK = 4 * 1024 * 1024;

/** A file in chunks of 4 MiB, from `start` to `end` or as far as it goes when it is read. */
export async function* fileChunks(handle: FileHandle, start = 0, end = Infinity): AsyncGenerator<Buffer> {
  for (let position = start; position < end;) {
    // A new one each time: what is handed out may be kept a while.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, end - position));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    position += bytesRead;
  }
}
