import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SlotLocks } from './slot.locks.ts';

describe('slots whose database is away from the start', () => {
  it('say so, once', async () => {
    const said: string[] = [];
    const say = (event: string): void => void said.push(event);
    // A port where nobody listens.
    const locks = new SlotLocks('postgres://delivery@127.0.0.1:1/delivery', { info: say, warn: say });
    await locks.start();
    await wait(700);
    await locks.close();
    expect(said).toEqual(['slots.unavailable']);
  });
});
