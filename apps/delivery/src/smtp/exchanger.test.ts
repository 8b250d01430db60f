import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Exchanger, ExchangerBusy } from './exchanger.ts';

describe('Exchanger', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());
  const wait = (ms: number) => vi.advanceTimersByTime(ms);
  const waiters = (exchanger: Exchanger, count: number) =>
    Array.from({ length: count }, () => {
      const reject = vi.fn<(error: unknown) => void>();
      exchanger.waiting.push({ resolve: () => {}, reject, since: performance.now() });
      return reject;
    });

  function busy(holdMs: number, sessions: number): Exchanger {
    const exchanger = new Exchanger();
    const all = Array.from({ length: sessions }, () => ({}));
    for (const session of all) exchanger.taken(session);
    wait(holdMs);
    for (const session of all) exchanger.givenBack(session);
    for (const session of all) exchanger.taken(session);
    return exchanger;
  }

  it('expects a short wait where sessions come back quickly', () => {
    const fast = busy(5, 20);
    waiters(fast, 399);
    expect(fast.expectedWait()).toBeCloseTo(100);
  });

  it('expects a long wait where they do not', () => {
    const slow = busy(2_000, 20);
    waiters(slow, 39);
    expect(slow.expectedWait()).toBeCloseTo(4_000);
  });

  it('notices when a fast one gets stuck, but not for one session of many', () => {
    const stuck = busy(5, 2);
    wait(10_000);
    expect(stuck.expectedWait()).toBeCloseTo(5_000);
    const mostly = busy(5, 2);
    wait(10_000);
    mostly.taken({});
    expect(mostly.expectedWait()).toBeCloseTo(5, 1);
  });

  it('sends away who has waited too long, and only those', () => {
    const exchanger = busy(5, 1);
    const [early] = waiters(exchanger, 1);
    wait(600);
    const [late] = waiters(exchanger, 1);
    exchanger.dismiss(500);
    expect(early).toHaveBeenCalledWith(expect.any(ExchangerBusy));
    expect(late).not.toHaveBeenCalled();
    expect(exchanger.waiting).toHaveLength(1);
  });
});
