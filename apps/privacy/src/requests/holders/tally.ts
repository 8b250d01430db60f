import type { Counts } from '../completed-request.ts';

export interface Tally {
  readonly found: Counts;
  readonly removed: Counts;
}

/**
 * What one holder had of the people, by kind, and what of that is gone. Neither answer is enough for it. An erasure that is
 * repeated, because its answer was lost, finds less than there was, or nothing; the survey before it knows. But the survey of a
 * message that two are erased from counts it for neither of them, and no survey of suppressions counts those that name nobody and
 * go where `remove` was asked: there the erasure knows. Hence the greater.
 *
 * @param left what the last look found, or null before it: until then only what `erase` says is known to be gone. Afterwards what
 *   is not there is gone, also where its time ran out, or another erasure of the same person took it, between survey and look.
 */
export function tally(surveyed: Counts, erased: Tally, left: Counts | null): Tally {
  const kinds = [...new Set([...Object.keys(surveyed), ...Object.keys(erased.found)])];
  const found = kinds.map((kind) => [kind, Math.max(surveyed[kind] ?? 0, erased.found[kind] ?? 0)] as const);
  if (left === null) return { found: Object.fromEntries(found), removed: erased.removed };
  const gone = found.map(([kind, count]) => [kind, Math.max(0, count - (left[kind] ?? 0))] as const);
  return { found: Object.fromEntries(found), removed: Object.fromEntries(gone) };
}
