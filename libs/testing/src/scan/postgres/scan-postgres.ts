import { fileChunks, readAt } from '../file-chunks.ts';
import type { Scan } from '../scan.ts';
import { chunksIn, compressedIn, openCompressed } from './datums.ts';
import { ToastValues } from './toast-values.ts';

const PAGE = 8_192;
const WAL_PAGE_HEADER = 24;

const WAL = /\/pg_wal\/[0-9A-F]{24}$/;
const PAGES = /\/(base|global|pg_tblspc)\/(.+\/)?\d+(\.\d+)?$/;

export const isWal = (file: string): boolean => WAL.test(file);

/**
 * Opens what PostgreSQL compressed (pglz) or cut into the rows of a TOAST table: in tables and indexes, deleted rows and what
 * pages have free included, and in the write-ahead log with its images of pages. Does nothing with other files.
 *
 * Not opened: images that the log itself compressed (`wal_compression`) and lz4, both off unless somebody sets them; a value in
 * the log that goes over the end of a segment is opened up to there.
 */
export async function scanPostgresFile(scan: Scan, opened: number, file: string): Promise<void> {
  if (isWal(file)) await scanWal(scan, opened, file);
  else if (PAGES.test(file)) await scanPages(scan, opened, file);
}

async function scanPages(scan: Scan, opened: number, file: string): Promise<void> {
  const values = new ToastValues();
  let position = 0;
  for (const block of fileChunks(opened)) {
    for (let start = 0; start < block.length; start += PAGE) {
      const end = Math.min(start + PAGE, block.length);
      await compressed(scan, compressedIn(block, 4, start, end), file);
      for (const chunk of chunksIn(block, 8, start, end)) {
        values.add({ ...chunk, offset: position + chunk.offset });
      }
    }
    position += block.length;
  }
  await toasted(scan, values, (offset, length) => readAt(opened, offset, length), file);
}

async function scanWal(scan: Scan, opened: number, file: string): Promise<void> {
  const pages: Buffer[] = [];
  for (const block of fileChunks(opened)) {
    for (let start = 0; start < block.length; start += PAGE) {
      pages.push(Buffer.from(block.subarray(start + WAL_PAGE_HEADER, start + PAGE)));
    }
  }
  const log = Buffer.concat(pages);
  await compressed(scan, compressedIn(log, 1), file);
  const values = new ToastValues();
  for (const chunk of chunksIn(log, 1)) values.add(chunk);
  await toasted(scan, values, (offset, length) => log.subarray(offset, offset + length), file);
}

async function compressed(scan: Scan, values: Iterable<Buffer>, file: string): Promise<void> {
  for (const octets of values) await scan.stream([octets], { file, layers: ['pglz'] });
}

/** A value in one piece was read with the file's own octets. */
async function toasted(
  scan: Scan,
  values: ToastValues,
  read: (offset: number, length: number) => Buffer,
  file: string,
): Promise<void> {
  for (const run of values.runs()) {
    const stored = Buffer.concat(run.map(({ offset, length }) => read(offset, length)));
    if (run.length > 1) await scan.stream([stored], { file, layers: ['toast'] });
    const octets = run[0]!.sequence === 0 ? openCompressed(stored) : null;
    if (octets) await scan.stream([octets], { file, layers: ['toast', 'pglz'] });
  }
}
