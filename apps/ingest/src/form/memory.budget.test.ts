import { expect, it } from 'vitest';
import { MemoryBudget } from './memory.budget.ts';

const budget = (): MemoryBudget =>
  new MemoryBudget({ BYTES_IN_FLIGHT: 100_000, MESSAGE_MAX_BYTES: 10_000, REQUESTS_WAITING: 1 });

it('bounds what tasks find out they need besides, and takes it back with the rest', async () => {
  const memory = budget();
  for (let turn = 0; turn < 3; turn += 1) {
    let end = (): void => undefined;
    const first = memory.run(1_000, async (more) => {
      more(60_000);
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    await expect(memory.run(1_000, async (more) => more(60_000))).rejects.toMatchObject({ status: 503 });
    end();
    await first;
  }
});

it('lets one alone have all there is, however much it needs', async () => {
  await expect(budget().run(1_000, async (more) => more(1_000_000))).resolves.toBeUndefined();
});

it('lets wait a bounded number', async () => {
  const memory = budget();
  let end = (): void => undefined;
  const running = memory.run(30_000, () => new Promise<void>((resolve) => (end = resolve)));
  const waiting = memory.run(30_000, async () => 'done');
  await expect(memory.run(1, async () => undefined)).rejects.toMatchObject({ status: 503 });
  await Promise.resolve();
  end();
  await running;
  expect(await waiting).toBe('done');
});
