import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.ts';
import { SharedCache } from './shared-cache.ts';

describe('SharedCache', () => {
  const made: string[] = [];
  const make = (key: string) => async () => {
    made.push(key);
    return key;
  };

  it('makes once for all who ask at the same time', async () => {
    made.length = 0;
    const cache = new SharedCache<string>(100, 60_000, (value) => value.length);
    await Promise.all([cache.get('a', make('a')), cache.get('a', make('a'))]);
    await cache.get('a', make('a'));
    expect(made).toEqual(['a']);
  });

  it('keeps no more bytes than it may: the one used longest ago goes', async () => {
    made.length = 0;
    const cache = new SharedCache<string>(4, 60_000, (value) => value.length);
    for (const key of ['aa', 'bb', 'aa', 'cc', 'aa', 'bb']) await cache.get(key, make(key));
    expect(made).toEqual(['aa', 'bb', 'cc', 'bb']);
  });

  it('does not keep a failure', async () => {
    const cache = new SharedCache<string>(100, 60_000, (value) => value.length);
    await expect(cache.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.get('a', make('a'))).toBe('a');
  });

  it('lets an entry go at its time', async () => {
    made.length = 0;
    const cache = new SharedCache<string>(100, 5, (value) => value.length);
    await cache.get('a', make('a'));
    await expect.poll(async () => (await cache.get('a', make('a'))) && made.length, { interval: 6 }).toBeGreaterThan(1);
  });
});

describe('ByteBudget', () => {
  it('answers nothing when it is used up, and lets the largest go alone', () => {
    const budget = new ByteBudget(10);
    const first = budget.take(8);
    expect(budget.take(3)).toBeUndefined();
    first?.release();
    first?.release();
    const large = budget.take(50);
    expect(large).toBeDefined();
    expect(budget.take(1)).toBeUndefined();
    large?.release();
    expect(budget.take(10)).toBeDefined();
    expect(budget.take(1)).toBeUndefined();
  });

  it('gives who has some more of it, all of which comes back, and more than there is to who is alone', () => {
    const budget = new ByteBudget(10);
    const [first, second] = [budget.take(4), budget.take(3)];
    expect(first?.more(4)).toBe(false);
    expect(first?.more(3)).toBe(true);
    second?.release();
    expect(first?.more(50)).toBe(true);
    expect(budget.take(1)).toBeUndefined();
    first?.release();
    expect(budget.take(10)).toBeDefined();
    expect(budget.take(1)).toBeUndefined();
  });
});
