import { fstatSync } from 'node:fs';
import { fileChunks, readAt } from './file-chunks.ts';
import type { Scan, Source } from './scan.ts';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL_HEADER = 30;
const LONGEST_END = 22 + 65_535;

export const isZip = (head: Buffer): boolean => head.subarray(0, 4).equals(Buffer.from('PK\x03\x04'));

/** Opens the entries of a ZIP archive by its central directory (PKWARE APPNOTE 4.3.12): stored and deflated ones. */
export async function scanZip(scan: Scan, archive: number, file: string): Promise<void> {
  const source = { file, layers: ['zip'] };
  try {
    await scanEntries(scan, archive, source);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    scan.cannotOpen(source, 'cut off, or no archive');
  }
}

async function scanEntries(scan: Scan, archive: number, source: Source): Promise<void> {
  const { size } = fstatSync(archive);
  const tail = readAt(archive, Math.max(0, size - LONGEST_END), Math.min(size, LONGEST_END));
  const end = tail.lastIndexOf(Buffer.from('PK\x05\x06'));
  if (end === -1 || tail.readUInt32LE(end) !== END) return scan.cannotOpen(source, 'no central directory');
  const [count, length, start] = [
    tail.readUInt16LE(end + 10),
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (count === 0xffff || start === 0xffffffff) return scan.cannotOpen(source, 'ZIP64');
  const directory = readAt(archive, start, length);
  await scan.stream([directory], source);
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === ENTRY;) {
    const [flags, method] = [directory.readUInt16LE(at + 8), directory.readUInt16LE(at + 10)];
    const [packed, local] = [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)];
    at += 46 + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    const header = readAt(archive, local, LOCAL_HEADER);
    const from = local + LOCAL_HEADER + header.readUInt16LE(26) + header.readUInt16LE(28);
    if ((flags & 1) === 1) scan.cannotOpen(source, 'an entry is encrypted');
    // Stored entries are read with the file's own octets.
    else if (method === 8) await scan.open('raw deflate', fileChunks(archive, from, from + packed), source, true);
    else if (method !== 0) scan.cannotOpen(source, `an entry is compressed with method ${method}`);
  }
}
