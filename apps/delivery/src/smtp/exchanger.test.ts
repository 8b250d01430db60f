import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Exchanger, ExchangerBusy } from './exchanger.ts';
import { Site } from './site.ts';

const target = { host: 'a.test', address: '127.0.0.1', port: 25, tls: 'never' as const };
const rule = { site: 'a.test', provider: 'other' as const, sessions: 20, messagesPerSession: 10, pauseMs: 0 };

describe('Exchanger', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());
  const wait = (ms: number) => vi.advanceTimersByTime(ms);
  const waiters = (exchanger: Exchanger, count: number) =>
    Array.from({ length: count }, () => {
      const reject = vi.fn<(error: unknown) => void>();
      exchanger.wait({ target, resolve: () => {}, reject, since: performance.now() });
      return reject;
    });

  function busy(holdMs: number, sessions: number): Exchanger {
    const exchanger = new Exchanger(new Site(rule));
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

  it('tells who cannot wait to come back one after the other, as sessions do, but not for ever', () => {
    const slow = busy(2_000, 4);
    const told = Array.from({ length: 100 }, () => slow.busy().afterMs);
    expect(told[0]).toBe(500);
    expect(told[10]).toBeCloseTo(5_500);
    expect(Math.min(...told.slice(30))).toBeGreaterThanOrEqual(8_000);
    expect(Math.max(...told)).toBeLessThanOrEqual(10_000);
    const unknown = new Exchanger(new Site(rule));
    unknown.taken({});
    expect(Array.from({ length: 20 }, () => unknown.busy().afterMs).every((ms) => ms === 500)).toBe(true);
    wait(1_000);
    expect(Array.from({ length: 20 }, () => unknown.busy().afterMs).at(-1)).toBeGreaterThan(7_000);
    expect(busy(5, 20).busy().afterMs).toBe(500);
  });

  it('sends away who has waited too long, and only those', () => {
    const exchanger = busy(5, 1);
    const [early] = waiters(exchanger, 1);
    wait(600);
    const [late] = waiters(exchanger, 1);
    exchanger.dismiss(500);
    expect(early).toHaveBeenCalledWith(expect.any(ExchangerBusy));
    expect(late).not.toHaveBeenCalled();
    expect(exchanger.waits).toBe(1);
  });
});
