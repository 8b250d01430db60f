import type { ScanReport } from '../scan/needle.ts';
import { Scan, type Seeker, type Sought } from '../scan/scan.ts';
import { scanWith } from '../scan/scan-folders.ts';

/** Octets that no text stands for, such as a wrapped secret. */
export interface OctetNeedle {
  readonly name: string;
  readonly octets: Buffer;
}

/** Searches files for octets, as they are, in hexadecimal digits and in base64, in every layer that `scanFolders` opens. */
export function scanForOctets(folders: readonly string[], needles: readonly OctetNeedle[]): Promise<ScanReport> {
  const sought = needles.flatMap(({ name, octets }): Sought[] => {
    const hex = octets.toString('hex');
    return [
      { needle: name, variant: 'raw', octets },
      { needle: name, variant: 'hex', octets: Buffer.from(hex) },
      { needle: name, variant: 'HEX', octets: Buffer.from(hex.toUpperCase()) },
      { needle: name, variant: 'base64', octets: Buffer.from(octets.toString('base64').replace(/.?=*$/, '')) },
      { needle: name, variant: 'base64url', octets: Buffer.from(octets.toString('base64url').slice(0, -1)) },
    ];
  });
  const seeker: Seeker = {
    longest: Math.max(...sought.map(({ octets }) => octets.length)),
    search(octets, found) {
      for (const one of sought) {
        for (let at = octets.indexOf(one.octets); at !== -1; at = octets.indexOf(one.octets, at + 1)) found(one, at);
      }
    },
  };
  return scanWith(new Scan(seeker), folders);
}
