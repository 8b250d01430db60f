import { expect, it } from 'vitest';
import { tally } from './tally.ts';

const NOTHING = { found: {}, removed: {} };
const both = (counts: Record<string, number>) => ({ found: counts, removed: counts });

it.each([
  ['nothing anywhere', {}, NOTHING, {}, NOTHING],
  ['the answer to the erasure was lost', { event: 12, key: 1 }, NOTHING, {}, both({ event: 12, key: 1 })],
  ['a part was removed before a kill', { event: 12 }, both({ event: 2 }), {}, both({ event: 12 })],
  [
    'the erasure met what the survey could not tell',
    { event: 1 },
    both({ message: 1 }),
    {},
    both({ event: 1, message: 1 }),
  ],
  [
    'something is left',
    { event: 12 },
    both({ event: 10 }),
    { event: 2 },
    { found: { event: 12 }, removed: { event: 10 } },
  ],
  [
    'more is left than was ever found',
    {},
    both({ event: 1 }),
    { event: 2 },
    { found: { event: 1 }, removed: { event: 0 } },
  ],
])('adds up: %s', (_, surveyed, erased, left, expected) => {
  expect(tally(surveyed, erased, left)).toEqual(expected);
});

it('says gone before the last look only of what the erasure says', () => {
  expect(tally({ event: 12 }, NOTHING, null)).toEqual({ found: { event: 12 }, removed: {} });
  expect(tally({ event: 12 }, both({ event: 3 }), null)).toEqual({ found: { event: 12 }, removed: { event: 3 } });
});
