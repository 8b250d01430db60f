import { expect, it } from 'vitest';
import { passed } from './progress.ts';

const progress = (low: number, ...committed: (number | undefined)[]) =>
  new Map([
    [
      'mail-events',
      {
        lows: new Map([[0, low]]),
        groups: committed.map((offset) => new Map(offset === undefined ? [] : [[0, offset]])),
      },
    ],
  ]);
const ends = { 'mail-events': { 0: 10 } };

it('is passed when every group has committed the end or more', () => {
  expect(passed(ends, progress(0, 10, 12))).toBe(true);
  expect(passed(ends, progress(0, 10, 9))).toBe(false);
});

it('without a commit it is passed only where nothing is left to be read', () => {
  expect(passed(ends, progress(0, 10, -1))).toBe(false);
  expect(passed(ends, progress(0, 10, undefined))).toBe(false);
  expect(passed(ends, progress(10, 10, -1))).toBe(true);
  expect(passed({ 'mail-events': { 0: 0 } }, progress(0, -1))).toBe(true);
});

it('is not passed for a topic or partition nobody has looked at', () => {
  expect(passed({ 'mail-accepted': { 0: 0 } }, progress(0, 10))).toBe(false);
  expect(passed({ 'mail-events': { 3: 0 } }, progress(0, 10))).toBe(false);
});
