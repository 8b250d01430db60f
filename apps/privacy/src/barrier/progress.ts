import type { Ends } from '../requests/request.ts';

/** By topic: where each partition begins, and what each group has committed (-1 or absent: nothing yet). */
export type Progress = ReadonlyMap<
  string,
  { readonly lows: ReadonlyMap<number, number>; readonly groups: readonly ReadonlyMap<number, number>[] }
>;

/**
 * Whether every group is past these ends. A group that has committed nothing is past an end only where no record before it is
 * left to be read. A topic nobody has looked at is not passed.
 */
export function passed(ends: Ends, progress: Progress): boolean {
  return Object.entries(ends).every(([topic, partitions]) => {
    const seen = progress.get(topic);
    return (
      seen !== undefined &&
      Object.entries(partitions).every(([partition, end]) =>
        seen.groups.every(
          (group) => Math.max(group.get(Number(partition)) ?? -1, seen.lows.get(Number(partition)) ?? -1) >= end,
        ),
      )
    );
  });
}
