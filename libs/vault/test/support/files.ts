import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PIECE = 8;

/**
 * For each of the needles the files below `folder` with its beginning or its end: eight bytes in a row do not occur by chance, and a
 * page of the WAL may end anywhere in a secret, but only once.
 */
export function filesWith<N extends string>(folder: string, needles: Record<N, Buffer>): Record<N, string[]> {
  const wanted = (Object.entries(needles) as [N, Buffer][]).map(([name, bytes]) => ({
    name,
    pieces: [bytes.subarray(0, PIECE), bytes.subarray(-PIECE)],
    found: [] as string[],
  }));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = read(path);
    for (const { pieces, found } of wanted) {
      if (pieces.some((piece) => content.includes(piece))) found.push(path.slice(folder.length + 1));
    }
  }
  return Object.fromEntries(wanted.map(({ name, found }) => [name, found.toSorted()])) as Record<N, string[]>;
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
