import type { Scan } from '../scan.ts';
import { luceneOctets, type LucenePart } from './lucene-octets.ts';

const SEPARATOR = Buffer.alloc(1);
/** Searched together: a value at a time would make a search of each term. */
const BLOCK = 1024 * 1024;

/** Searches what Lucene keeps in these folders, each of which holds segments. */
export async function scanLucene(scan: Scan, indices: readonly string[]): Promise<void> {
  const source = luceneOctets(indices);
  let segment = '';
  let layer = 'lucene';
  let held: Buffer[] = [];
  let size = 0;
  const search = async (): Promise<void> => {
    if (size > 0) await scan.stream([Buffer.concat(held)], { file: segment, layers: [layer] });
    [held, size] = [[], 0];
  };
  const take: Readonly<Record<LucenePart['kind'], (octets: Buffer) => void | Promise<void>>> = {
    segment: (octets) => void ([segment, layer] = [octets.toString(), 'lucene']),
    layer: (octets) => void (layer = `lucene ${octets.toString()}`),
    octets: (octets) => {
      held.push(octets, SEPARATOR);
      size += octets.length + 1;
      return size > BLOCK ? search() : undefined;
    },
    unopened: (octets) => scan.cannotOpen({ file: segment, layers: [layer] }, octets.toString()),
  };
  for await (const { kind, octets } of source) {
    if (kind !== 'octets') await search();
    await take[kind](octets);
  }
  await search();
}
