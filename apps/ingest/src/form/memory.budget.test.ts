import { expect, it } from 'vitest';
import { MemoryBudget } from './memory.budget.ts';

const budget = (): MemoryBudget =>
  new MemoryBudget({ BYTES_IN_FLIGHT: 100_000, MESSAGE_MAX_BYTES: 10_000, REQUESTS_WAITING: 1 });

it('bounds what tasks find out they need besides, and takes it back with the rest', async () => {
  const memory = budget();
  for (let turn = 0; turn < 3; turn += 1) {
    let end = (): void => undefined;
    const first = memory.run('a', 1_000, async (more) => {
      more(60_000);
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    await expect(memory.run('b', 1_000, async (more) => more(60_000))).rejects.toMatchObject({ status: 503 });
    end();
    await first;
  }
});

it('lets one alone have all there is, however much it needs', async () => {
  await expect(budget().run('a', 1_000, async (more) => more(1_000_000))).resolves.toBeUndefined();
});

it('lets wait a bounded number', async () => {
  const memory = budget();
  let end = (): void => undefined;
  const running = memory.run('a', 30_000, () => new Promise<void>((resolve) => (end = resolve)));
  const waiting = memory.run('a', 30_000, async () => 'done');
  await expect(memory.run('a', 1, async () => undefined)).rejects.toMatchObject({ status: 503 });
  await Promise.resolve();
  end();
  await running;
  expect(await waiting).toBe('done');
});

it('leaves an eighth to all others, however long one account holds the rest', async () => {
  const memory = new MemoryBudget({ BYTES_IN_FLIGHT: 400_000, MESSAGE_MAX_BYTES: 10_000, REQUESTS_WAITING: 10 });
  const ends: (() => void)[] = [];
  const hold = () => new Promise<void>((resolve) => ends.push(resolve));
  // 46,384 octets each: seven of them are all that it may have.
  const all = Array.from({ length: 9 }, () => memory.run('slow', 10_000, hold));
  await Promise.resolve();
  expect(ends).toHaveLength(7);
  // They wait for each other, and nobody waits for them.
  expect(await memory.run('other', 10_000, async () => 'at once')).toBe('at once');
  while (ends.length > 0) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
  expect(await memory.run('slow', 100_000, async () => 'all of it')).toBe('all of it');
});

it('leaves it where requests find out that they need more, too', async () => {
  const memory = new MemoryBudget({ BYTES_IN_FLIGHT: 400_000, MESSAGE_MAX_BYTES: 10_000, REQUESTS_WAITING: 10 });
  let end = (): void => undefined;
  const first = memory.run('slow', 10_000, () => new Promise<void>((resolve) => (end = resolve)));
  await expect(memory.run('slow', 10_000, async (more) => more(300_000))).rejects.toMatchObject({ status: 503 });
  await expect(memory.run('other', 10_000, async (more) => more(300_000))).resolves.toBeUndefined();
  end();
  await first;
});
