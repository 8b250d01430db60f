import { Matcher, type Pattern } from '../scan/matcher.ts';
import type { ScanReport } from '../scan/needle.ts';
import { Scan } from '../scan/scan.ts';
import { scanWith } from '../scan/scan-folders.ts';

/** Octets that no text stands for, such as a wrapped secret. */
export interface OctetNeedle {
  readonly name: string;
  readonly octets: Buffer;
}

/**
 * Searches files for octets, as they are, in hexadecimal digits and in base64, in every layer that `scanFolders` opens. All in one
 * pass, however many they are.
 */
export function scanForOctets(folders: readonly string[], needles: readonly OctetNeedle[]): Promise<ScanReport> {
  const patterns = needles.flatMap(({ name: needle, octets }): Pattern[] => [
    { needle, variant: 'raw', octets, anyCase: false },
    { needle, variant: 'hex', octets: Buffer.from(octets.toString('hex')), anyCase: true },
    {
      needle,
      variant: 'base64',
      octets: Buffer.from(octets.toString('base64').replace(/.?=*$/, '')),
      anyCase: false,
    },
    { needle, variant: 'base64url', octets: Buffer.from(octets.toString('base64url').slice(0, -1)), anyCase: false },
  ]);
  return scanWith(new Scan(new Matcher(patterns)), folders);
}
