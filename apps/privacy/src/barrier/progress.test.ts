import { expect, it } from 'vitest';
import { behind } from './progress.ts';

const progress = (low: number, events: number | undefined, suppression: number | undefined) => {
  const committed = (offset: number | undefined) => new Map(offset === undefined ? [] : [[0, offset]]);
  const groups = new Map([
    ['events', committed(events)],
    ['suppression', committed(suppression)],
  ]);
  return new Map([['mail-events', { lows: new Map([[0, low]]), groups }]]);
};
const ends = { 'mail-events': { 0: 10 } };

it('is passed when every group has committed the end or more', () => {
  expect(behind(ends, progress(0, 10, 12))).toEqual([]);
  expect(behind(ends, progress(0, 10, 9))).toEqual(['suppression']);
  expect(behind(ends, progress(0, 9, 9))).toEqual(['events', 'suppression']);
});

it('without a commit it is passed only where nothing is left to be read', () => {
  expect(behind(ends, progress(0, 10, -1))).toEqual(['suppression']);
  expect(behind(ends, progress(0, 10, undefined))).toEqual(['suppression']);
  expect(behind(ends, progress(10, 10, -1))).toEqual([]);
  expect(behind({ 'mail-events': { 0: 0 } }, progress(0, -1, undefined))).toEqual([]);
});

it('is not passed for a topic or partition nobody has looked at', () => {
  expect(() => behind({ 'mail-accepted': { 0: 0 } }, progress(0, 10, 10))).toThrow('mail-accepted');
  expect(() => behind({ 'mail-events': { 3: 0 } }, progress(0, 10, 10))).toThrow('partition 3');
});
