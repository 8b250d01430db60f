import { Clock } from '@lethe/service';
import { expect, it } from 'vitest';
import { LoginBackoff } from './login.backoff.ts';

class SetClock extends Clock {
  time = 0;
  override now(): number {
    return this.time;
  }
}

const failing = (address: string, times: number) => {
  const clock = new SetClock();
  const backoff = new LoginBackoff(clock);
  for (let nth = 0; nth < times; nth++) backoff.failed(address);
  return { clock, backoff };
};

it.each([
  [3, 0],
  [4, 1],
  [5, 2],
  [8, 16],
  [40, 300],
])('after %d failures an address waits %d s', (failures, seconds) => {
  const { clock, backoff } = failing('192.0.2.1', failures);
  expect(backoff.waitSeconds('192.0.2.1')).toBe(seconds);
  expect(backoff.waitSeconds('192.0.2.2')).toBe(0);
  clock.time = seconds * 1_000;
  expect(backoff.waitSeconds('192.0.2.1')).toBe(0);
});

it('forgets after a quarter of an hour', () => {
  const { clock, backoff } = failing('192.0.2.1', 40);
  clock.time = 899_000;
  backoff.failed('192.0.2.1');
  expect(backoff.waitSeconds('192.0.2.1')).toBe(300);
  clock.time += 900_000;
  backoff.failed('192.0.2.1');
  expect(backoff.waitSeconds('192.0.2.1')).toBe(0);
});

it('takes a network of IPv6 for one address', () => {
  const { backoff } = failing('2001:db8:0:1::5', 5);
  expect(backoff.waitSeconds('2001:DB8::1:ffff:0:0:1')).toBe(2);
  expect(backoff.waitSeconds('2001:db8:0:2::5')).toBe(0);
});

it('remembers a bounded number of addresses', () => {
  const { backoff } = failing('192.0.2.1', 5);
  for (let nth = 0; nth < 10_000; nth++) backoff.failed(`10.0.${nth >> 8}.${nth & 255}`);
  expect(backoff.waitSeconds('192.0.2.1')).toBe(0);
});
