import { describe, expect, it } from 'vitest';
import { parseInstant, parseMailDate } from './date.ts';

describe('a date', () => {
  it.each([
    ['Fri, 13 Nov 2026 23:10:10 +0000', Date.UTC(2026, 10, 13, 23, 10, 10)],
    ['Wed, 4 Nov 2026 09:05:00 +0130', Date.UTC(2026, 10, 4, 7, 35)],
    ['Wed, 04 Nov 2026 09:05:00 -0800', Date.UTC(2026, 10, 4, 17, 5)],
    ['4 Nov 2026 09:05 GMT', Date.UTC(2026, 10, 4, 9, 5)],
    [' wed, 4 nov 2026 09:05:59 est ', Date.UTC(2026, 10, 4, 14, 5, 59)],
    ['29 Feb 2028 00:00:00 UTC', Date.UTC(2028, 1, 29)],
  ])('%s is read', (text, at) => expect(parseMailDate(text)).toBe(at));

  it('an instant is a date or epoch seconds', () => {
    expect(
      ['1793779200', ' 1793779200.25 ', 'Wed, 4 Nov 2026 08:00:00 GMT', '-1', '1e9', 'now'].map(parseInstant),
    ).toEqual([1_793_779_200_000, 1_793_779_200_250, 1_793_779_200_000, undefined, undefined, undefined]);
  });

  it.each([
    '',
    'tomorrow',
    '2026-11-13T23:10:10Z',
    'Fri, 13 Nov 26 23:10:10 +0000',
    'Fri, 13 Nov 2026 23:10:10',
    'Fri, 13 Nov 2026 23:10:10 CEST',
    'Fri, 13 Nov 2026 23:10:10 CET',
    'Fri, 13 Nov 2026 24:10:10 +0000',
    'Fri, 13 Nov 2026 23:60:10 +0000',
    'Fri, 13 Nov 2026 23:10:10 +0075',
    'Thu, 31 Apr 2026 23:10:10 +0000',
    'Thu, 13 Nox 2026 23:10:10 +0000',
  ])('%s is none', (text) => expect(parseMailDate(text)).toBeUndefined());
});
