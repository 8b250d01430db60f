import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileChunks, readAt } from './file-chunks.ts';
import { isKafkaSegment, scanKafkaSegment } from './kafka-segment.ts';
import { scanLucene } from './lucene/scan-lucene.ts';
import { Matcher, patternsOf } from './matcher.ts';
import type { Needle, ScanReport } from './needle.ts';
import { isWal, scanPostgresFile } from './postgres/scan-postgres.ts';
import { Scan, type ScanLimits } from './scan.ts';
import { isZip, scanZip } from './zip-archive.ts';

export interface FolderScanOptions extends ScanLimits {
  /** Folders with everything below them, or single files. */
  readonly folders: readonly string[];
  readonly needles: readonly Needle[];
}

/**
 * Searches every octet of every file for the needles, as they are and in every encoding and plain hash of `encodings.ts` and
 * `hashes.ts`, in the files' names too. Opens what is compressed: Kafka's record batches (gzip, zstd), gzip, zstd and zlib
 * parts anywhere, ZIP archives, what PostgreSQL compressed (pglz, TOAST) in rows living or dead and in its WAL, and Lucene's
 * segments with their deleted documents; joins what line breaks and WAL pages interrupt. What it cannot open it lists.
 */
export async function scanFolders(options: FolderScanOptions): Promise<ScanReport> {
  return scanWith(new Scan(new Matcher(patternsOf(options.needles)), options), options.folders);
}

/** The same, for anything that can be sought. */
export async function scanWith(scan: Scan, folders: readonly string[]): Promise<ScanReport> {
  const indices = new Set<string>();
  for (const folder of folders) {
    for (const file of filesBelow(folder)) {
      await scanFile(scan, file, folder);
      if (file.endsWith('.si')) indices.add(dirname(file));
    }
  }
  if (indices.size > 0) await scanLucene(scan, [...indices]);
  return scan.report();
}

async function scanFile(scan: Scan, file: string, folder: string): Promise<void> {
  const opened = unlessGone(() => openSync(file, 'r'));
  if (opened === undefined) return;
  try {
    scan.countFile();
    // Names below the folder: where the folder itself is, is the test's own affair.
    await scan.stream([Buffer.from(file.slice(folder.length))], { file, layers: ['name'] });
    const from = (offset: number) => fileChunks(opened, offset);
    await scan.stream(from(0), { file, layers: [], from, wal: isWal(file) });
    await scanPostgresFile(scan, opened, file);
    if (isKafkaSegment(basename(file))) await scanKafkaSegment(scan, opened, file);
    else if (isZip(readAt(opened, 0, 4))) await scanZip(scan, opened, file);
  } finally {
    closeSync(opened);
  }
}

/** A folder or file that was asked for must be there; what is below comes and goes with the stores' work. */
function* filesBelow(path: string): Generator<string> {
  if (!statSync(path).isDirectory()) {
    yield path;
    return;
  }
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
      const inner = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(inner);
      else if (entry.isFile()) yield inner;
    }
  }
}

function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
