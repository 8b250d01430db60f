import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Rounds } from './rounds.ts';

it('come at once and again, also after one that failed, and none after the stop', async () => {
  const work = vi.fn(async () => {
    if (work.mock.calls.length === 1) throw new Error('away');
  });
  const failed = vi.fn();
  const rounds = new Rounds({ everyMs: 10, work, failed });
  rounds.start();
  expect(work).toHaveBeenCalledTimes(1);
  await vi.waitFor(() => expect(work.mock.calls.length).toBeGreaterThanOrEqual(3));
  expect(failed).toHaveBeenCalledExactlyOnceWith(new Error('away'));
  await rounds.stop();
  const { length } = work.mock.calls;
  await sleep(50);
  expect(work).toHaveBeenCalledTimes(length);
});

it('end with the one that is under way, which can see that it is the last', async () => {
  const seen: boolean[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const rounds: Rounds = new Rounds({
    everyMs: 1,
    work: async () => {
      seen.push(rounds.stopped);
      await promise;
      seen.push(rounds.stopped);
    },
    failed: () => undefined,
  });
  rounds.start();
  const stopping = rounds.stop();
  resolve();
  await stopping;
  expect(seen).toEqual([false, true]);
});
