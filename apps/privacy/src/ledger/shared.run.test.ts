import { expect, it } from 'vitest';
import { SharedRun } from './shared.run.ts';

function controlled() {
  const begun: { end: (value: number) => void; fail: () => void }[] = [];
  const shared = new SharedRun<number>(
    () => new Promise((end, reject) => begun.push({ end, fail: () => reject(new Error('failed')) })),
  );
  return { shared, begun };
}

it('whoever asks during a run shares the next one', async () => {
  const { shared, begun } = controlled();
  const first = shared.run();
  const others = [shared.run(), shared.run()];
  expect(begun).toHaveLength(1);
  begun[0].end(1);
  expect(await first).toBe(1);
  await Promise.resolve();
  expect(begun).toHaveLength(2);
  const third = shared.run();
  begun[1].end(2);
  expect(await Promise.all(others)).toEqual([2, 2]);
  await Promise.resolve();
  expect(begun).toHaveLength(3);
  begun[2].end(3);
  expect(await third).toBe(3);
});

it('a failed run is not the next one’s failure', async () => {
  const { shared, begun } = controlled();
  const first = shared.run();
  const second = shared.run();
  begun[0].fail();
  await expect(first).rejects.toThrow('failed');
  await Promise.resolve();
  begun[1].end(2);
  expect(await second).toBe(2);
  const third = shared.run();
  begun[2].end(3);
  expect(await third).toBe(3);
});
