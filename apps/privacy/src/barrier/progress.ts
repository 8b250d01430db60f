import type { Ends } from '../requests/request.ts';

/** By topic: where each partition begins, and what each group has committed (-1 or absent: nothing yet), by its service. */
export type Progress = ReadonlyMap<
  string,
  { readonly lows: ReadonlyMap<number, number>; readonly groups: ReadonlyMap<string, ReadonlyMap<number, number>> }
>;

/**
 * Services whose groups are not past these ends yet. A group that has committed nothing is past an end only where no record before
 * it is left to be read. Throws for what nobody has looked at: then nothing is known.
 */
export function behind(ends: Ends, progress: Progress): string[] {
  const services = new Set<string>();
  for (const [topic, partitions] of Object.entries(ends)) {
    const seen = progress.get(topic);
    if (seen === undefined) throw new Error(`Nobody has looked how far ${topic} is read`);
    for (const [partition, end] of Object.entries(partitions)) {
      const low = seen.lows.get(Number(partition));
      if (low === undefined) throw new Error(`Nobody has looked how far partition ${partition} of ${topic} is read`);
      for (const [service, committed] of seen.groups) {
        if (Math.max(committed.get(Number(partition)) ?? -1, low) < end) services.add(service);
      }
    }
  }
  return [...services];
}
