export interface Member {
  id: string;
  /** Partitions it has windows for. */
  owned: readonly number[];
}

/**
 * Shares partitions evenly and leaves as many as possible where they are: every partition that moves takes its records in
 * flight with it, to be sent again and marked. Each gets ⌊n/m⌋ or one more.
 */
export function shareOut(members: readonly Member[], partitions: number): Map<string, number[]> {
  const sorted = members.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const fewest = Math.floor(partitions / sorted.length);
  let larger = partitions % sorted.length;
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  const shares = new Map<string, number[]>(sorted.map(({ id }) => [id, []]));
  const give = (id: string, candidates: Iterable<number>, most: number): void => {
    const share = shares.get(id) ?? [];
    for (const partition of candidates) {
      if (share.length >= most) break;
      if (free.delete(partition)) share.push(partition);
    }
  };
  // Those who hold most keep the larger shares.
  for (const { id, owned } of sorted.toSorted((a, b) => b.owned.length - a.owned.length)) {
    give(id, owned, larger > 0 ? fewest + 1 : fewest);
    if ((shares.get(id)?.length ?? 0) > fewest) larger -= 1;
  }
  for (const { id } of sorted) give(id, [...free], fewest);
  for (const { id } of sorted) if (shares.get(id)?.length === fewest) give(id, [...free], fewest + 1);
  return shares;
}
