import { expect, it } from 'vitest';
import { Freshness } from './freshness.ts';

it('is not fresh before a heartbeat that was written after the table began to look', () => {
  const freshness = new Freshness();
  expect(freshness.fresh(0)).toBe(false);
  freshness.sawEnd(0, 100, 1_000);
  // The last record of the backlog is a heartbeat: it may be hours old.
  freshness.heartbeat(0, 99);
  expect(freshness.fresh(1_001)).toBe(false);
  freshness.heartbeat(0, 100);
  expect(freshness.fresh(1_500)).toBe(true);
});

it('counts a heartbeat from when the log still ended before it, not from when it was read', () => {
  const freshness = new Freshness();
  freshness.sawEnd(0, 10, 0);
  // Nothing was fetched for a minute; then sixty heartbeats come at once. The newest may be a minute old.
  for (let offset = 10; offset < 70; offset += 1) freshness.heartbeat(0, offset);
  freshness.sawEnd(0, 70, 60_000);
  expect(freshness.fresh(60_001)).toBe(false);
  freshness.heartbeat(0, 70);
  expect(freshness.fresh(61_000)).toBe(true);
});

it('ends when heartbeats stop, and needs every partition', () => {
  const freshness = new Freshness();
  for (const partition of [0, 1]) freshness.sawEnd(partition, 0, 0);
  freshness.heartbeat(0, 0);
  expect(freshness.fresh(10)).toBe(false);
  freshness.heartbeat(1, 0);
  expect(freshness.fresh(4_999)).toBe(true);
  expect(freshness.fresh(5_000)).toBe(false);
});
