import { readAt } from './file-chunks.ts';
import type { Codec } from './inflate.ts';
import type { Scan } from './scan.ts';

const HEADER = 61;
/** Attributes, bits 0 to 2 (Kafka's record batch, magic 2). */
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const OPENED: Readonly<Partial<Record<string, Codec>>> = { gzip: 'gzip', zstd: 'zstd' };

export const isKafkaSegment = (name: string): boolean => /^\d{20}\.log(\.deleted|\.cleaned|\.swap)?$/.test(name);

/** Opens the compressed record batches of a segment. What is not compressed is read with the file's own octets. */
export async function scanKafkaSegment(scan: Scan, segment: number, file: string): Promise<void> {
  for (let position = 0; ;) {
    const header = readAt(segment, position, HEADER);
    // The end, or what is preallocated behind it.
    if (header.every((octet) => octet === 0)) return;
    const length = header.length < HEADER ? 0 : header.readInt32BE(8);
    const source = { file, layers: ['kafka'] };
    if (length < HEADER - 12 || header[16] !== 2) {
      return scan.cannotOpen(source, `no record batch of magic 2 at ${position}`);
    }
    const codec = CODECS[header.readInt16BE(21) & 0b111] ?? 'unknown';
    const inner = { file, layers: [`kafka ${codec}`] };
    const opened = OPENED[codec];
    if (opened) {
      const records = readAt(segment, position + HEADER, length + 12 - HEADER);
      if (records.length < length + 12 - HEADER) {
        return scan.cannotOpen(inner, `a record batch at ${position} is cut off`);
      }
      await scan.open(opened, [records], inner, true);
    } else if (codec !== 'none') scan.cannotOpen(inner, `a record batch at ${position} is compressed with ${codec}`);
    position += length + 12;
  }
}
