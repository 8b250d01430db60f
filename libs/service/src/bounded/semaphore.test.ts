import { expect, it } from 'vitest';
import { OverloadedError } from './overloaded-error.ts';
import { Semaphore } from './semaphore.ts';

it('runs no more than its permits at once, in order, and refuses more than may wait', async () => {
  const semaphore = new Semaphore(2, 2);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const task = (id: number) => () => {
    running += 1;
    most = Math.max(most, running);
    order.push(id);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      running -= 1;
    });
  };
  const tasks = [1, 2, 3, 4].map((id) => semaphore.run(task(id)));
  await expect(semaphore.run(task(5))).rejects.toBeInstanceOf(OverloadedError);
  await Promise.all(tasks);
  expect([order, most]).toEqual([[1, 2, 3, 4], 2]);
});

it('gives a permit back when the task fails', async () => {
  const semaphore = new Semaphore(1);
  await expect(semaphore.run(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
  expect(await semaphore.run(() => Promise.resolve(1))).toBe(1);
});
