import { describe, expect, it } from 'vitest';
import { AddressWindow } from './address-window.ts';
import { BoundedMap } from './bounded-map.ts';
import { RateLimiter } from './rate-limiter.ts';

describe('rate limiter', () => {
  it('allows a burst, then the rate, and tells when to come back', () => {
    const limiter = new RateLimiter(2, 3, 10);
    const results = [0, 0, 0, 0].map((now) => limiter.take('a', now));
    expect(results.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(results[0]).toEqual({ allowed: true, remaining: 2, resetSeconds: 1, retryAfterSeconds: 0 });
    expect(results[3]).toEqual({ allowed: false, remaining: 0, resetSeconds: 2, retryAfterSeconds: 1 });
    expect(limiter.take('b', 0).allowed).toBe(true);
    expect(limiter.take('a', 500).allowed).toBe(true);
    expect(limiter.take('a', 500).allowed).toBe(false);
  });
});

describe('an address window', () => {
  it('limits one address, not another, and forgets after the window', () => {
    const failed = new AddressWindow(2, 60_000, 10);
    expect([1, 2, 3].map(() => failed.record('192.0.2.1', 0))).toEqual([undefined, undefined, 60]);
    expect(failed.record('192.0.2.2', 0)).toBeUndefined();
    expect(failed.record('192.0.2.1', 60_000)).toBeUndefined();
  });

  it('takes the addresses of one IPv6 network for one', () => {
    const failed = new AddressWindow(2, 60_000, 10);
    const addresses = ['2001:db8::1', '2001:db8::2', '2001:db8::3'];
    expect(addresses.map((address) => failed.record(address, 0))).toEqual([undefined, undefined, 60]);
    expect(failed.record('2001:db8:0:1::1', 0)).toBeUndefined();
  });
});

it('a bounded map drops its oldest entry', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2).set('a', 3).set('c', 4);
  expect([...map]).toEqual([
    ['b', 2],
    ['c', 4],
  ]);
});
