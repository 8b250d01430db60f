import { describe, expect, it } from 'vitest';
import { Lru } from './lru.ts';

function filled(capacity: number, keys: readonly string[]) {
  const left: string[] = [];
  const lru = new Lru<string>(capacity, (value) => left.push(value));
  for (const key of keys) lru.set(key, key);
  return { lru, left };
}

describe('what is kept for a while', () => {
  it('lets go of what was used longest ago', () => {
    const { lru, left } = filled(3, ['a', 'b', 'c']);
    for (const [used, added] of [
      ['a', 'd'],
      ['c', 'e'],
      ['d', 'f'],
      ['d', 'g'],
    ] as const) {
      expect(lru.get(used)).toBe(used);
      lru.set(added, added);
    }
    expect(left).toEqual(['b', 'a', 'c', 'e']);
    expect([...lru.values()].toSorted()).toEqual(['d', 'f', 'g']);
  });

  it('does the same as a list that is sorted with every use', () => {
    const { lru, left } = filled(4, []);
    const expected: { list: string[]; left: string[] } = { list: [], left: [] };
    let random = 7;
    for (let step = 0; step < 1_000; step += 1) {
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
      const key = String((random >> 8) % 7);
      const known = expected.list.includes(key);
      const what = (random >> 16) % 5;
      expected.list = expected.list.filter((each) => each !== key);
      if (what < 2) {
        expect(lru.get(key)).toBe(known ? key : undefined);
        if (known) expected.list.push(key);
      } else if (what < 4) {
        lru.set(key, key);
        if (known) expected.left.push(key);
        expected.list.push(key);
        if (expected.list.length > 4) expected.left.push(expected.list.shift() as string);
      } else {
        lru.delete(key);
        if (known) expected.left.push(key);
      }
      expect([left, [...lru.values()].toSorted()]).toEqual([expected.left, expected.list.toSorted()]);
      left.length = expected.left.length = 0;
    }
  });

  it('lets each value leave once, whether deleted or cleared', () => {
    const { lru, left } = filled(4, ['a', 'b', 'c', 'd']);
    lru.deleteWhere((value) => value === 'b' || value === 'd');
    lru.delete('b');
    expect(left).toEqual(['b', 'd']);
    lru.clear();
    expect(left.toSorted()).toEqual(['a', 'b', 'c', 'd']);
    for (const key of ['e', 'f']) lru.set(key, key);
    expect([...lru.values()].toSorted()).toEqual(['e', 'f']);
  });
});
