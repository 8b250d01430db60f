import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PIECE = 8;

/**
 * The files below `folder` with any piece of the bytes: eight in a row do not occur by chance, and a page of the WAL may end
 * anywhere in a secret.
 */
export function filesWith(folder: string, bytes: Buffer): string[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at + PIECE <= bytes.length; at += PIECE) pieces.push(bytes.subarray(at, at + PIECE));
  const found: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = read(path);
    if (pieces.some((piece) => content.includes(piece))) found.push(path.slice(folder.length + 1));
  }
  return found.toSorted();
}

/** Files go while they are listed. */
function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
