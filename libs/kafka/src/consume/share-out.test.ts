import { expect, it } from 'vitest';
import { shareOut, type Member } from './share-out.ts';

const all = (shares: Map<string, number[]>) => [...shares.values()].flat().toSorted((a, b) => a - b);
const range = (to: number) => Array.from({ length: to }, (_, partition) => partition);

it('gives a lone member everything', () => {
  expect(shareOut([{ id: 'a', owned: [] }], 3)).toEqual(new Map([['a', [0, 1, 2]]]));
});

it('moves only what must move when a member comes', () => {
  const shares = shareOut(
    [
      { id: 'a', owned: range(64) },
      { id: 'b', owned: [] },
    ],
    64,
  );
  expect(shares.get('a')).toEqual(range(32));
  expect(all(shares)).toEqual(range(64));
});

it('leaves the rest in place when a member goes', () => {
  const shares = shareOut(
    [
      { id: 'b', owned: [4, 5] },
      { id: 'c', owned: [6, 7, 8] },
    ],
    9,
  );
  expect(shares.get('c')).toEqual(expect.arrayContaining([6, 7, 8]));
  expect(shares.get('b')).toEqual(expect.arrayContaining([4, 5]));
  expect(all(shares)).toEqual(range(9));
});

it('is even, complete and never doubled for any claims', () => {
  let seed = 11;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 300; round += 1) {
    const partitions = random(70);
    const members: Member[] = Array.from({ length: 1 + random(8) }, (_, index) => ({
      id: `m${index}`,
      owned: range(80).filter(() => random(3) === 0),
    }));
    const shares = shareOut(members, partitions);
    expect(all(shares)).toEqual(range(partitions));
    const sizes = [...shares.values()].map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  }
});
