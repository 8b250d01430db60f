import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.ts';
import type { BatcherOptions } from './batcher.ts';
import { OverloadedError } from './overloaded-error.ts';

const options: BatcherOptions<number> = { maxItems: 3, lingerMs: 0, maxQueued: 10, concurrency: 1 };

function doubling(overrides: Partial<BatcherOptions<number>> = {}) {
  const calls: number[][] = [];
  const batcher = new Batcher<number, number>({ ...options, ...overrides }, (items) => {
    calls.push(items);
    return Promise.resolve(items.map((item) => item * 2));
  });
  return { calls, batcher };
}

describe('Batcher', () => {
  it('shares calls and gives each caller its own result', async () => {
    const { calls, batcher } = doubling();
    expect(await Promise.all([1, 2, 3, 4].map((item) => batcher.add(item)))).toEqual([2, 4, 6, 8]);
    expect(calls).toEqual([[1, 2, 3], [4]]);
  });

  it('waits for company as long as it was told', async () => {
    const { calls, batcher } = doubling({ lingerMs: 20 });
    const first = batcher.add(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([first, batcher.add(2)]);
    expect(calls).toEqual([[1, 2]]);
  });

  it('waits for who is about to come, and no longer', async () => {
    let more = true;
    const { calls, batcher } = doubling({ gather: { ms: 5_000, more: () => more } });
    const first = batcher.add(1);
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    more = false;
    await Promise.all([first, batcher.add(2)]);
    expect(calls).toEqual([[1, 2]]);
  });

  it('waits for who does not come as long as it was told', async () => {
    const { calls, batcher } = doubling({ gather: { ms: 5, more: () => true } });
    const first = batcher.add(1);
    await new Promise(setImmediate);
    await Promise.all([first, batcher.add(2)]);
    expect(calls).toEqual([[1, 2]]);
  });

  it('keeps a call under its bytes, and sends a larger item alone', async () => {
    const { calls, batcher } = doubling({ maxBytes: 10, sizeOf: (item) => item });
    await Promise.all([4, 5, 6, 50, 1].map((item) => batcher.add(item)));
    expect(calls).toEqual([[4, 5], [6], [50], [1]]);
  });

  it('gathers while all calls are busy', async () => {
    const calls: number[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const batcher = new Batcher<number, number>({ ...options, maxItems: 100 }, async (items) => {
      calls.push(items.length);
      await gate;
      return items;
    });
    const all = [batcher.add(0)];
    await new Promise(setImmediate);
    for (let item = 1; item < 10; item += 1) all.push(batcher.add(item));
    await new Promise(setImmediate);
    expect([calls, batcher.queued]).toEqual([[1], 9]);
    release();
    await Promise.all(all);
    expect(calls).toEqual([1, 9]);
  });

  it('refuses what does not fit the queue, and takes more when there is room again', async () => {
    const { batcher } = doubling({ maxQueued: 2 });
    const taken = [batcher.add(1), batcher.add(2)];
    await expect(batcher.add(3)).rejects.toBeInstanceOf(OverloadedError);
    await Promise.all(taken);
    expect(await batcher.add(4)).toBe(8);
  });

  it('rejects one caller for an Error as its result, and all for a throw', async () => {
    const one = new Batcher<number, number>(options, (items) =>
      Promise.resolve(items.map((item) => (item === 2 ? new Error('two') : item))),
    );
    const settled = await Promise.allSettled([one.add(1), one.add(2), one.add(3)]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const all = new Batcher<number, number>(options, () => Promise.reject(new Error('away')));
    for (const { status } of await Promise.allSettled([all.add(1), all.add(2)])) {
      expect(status).toBe('rejected');
    }
  });

  it('refuses a result too few instead of leaving a caller waiting', async () => {
    const short = new Batcher<number, number>(options, (items) => Promise.resolve(items.slice(1)));
    await expect(Promise.all([short.add(1), short.add(2)])).rejects.toThrow('2 got 1');
  });

  it('drains', async () => {
    const { calls, batcher } = doubling({ lingerMs: 5 });
    void batcher.add(1);
    await batcher.drain();
    expect(calls).toEqual([[1]]);
    await batcher.drain();
  });
});
