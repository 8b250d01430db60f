import { describe, expect, it } from 'vitest';
import { readTimeRange } from './time-range.ts';

describe('time range', () => {
  it('nothing given: newest first', () => expect(readTimeRange({})).toEqual({ ascending: false }));
  it('end after begin: ascending', () =>
    expect(readTimeRange({ begin: '100', end: '200.5' })).toEqual({ from: 100_000, to: 200_500, ascending: true }));
  it('end before begin: descending', () =>
    expect(readTimeRange({ begin: '200', end: '100' })).toEqual({ from: 100_000, to: 200_000, ascending: false }));
  it('begin alone is the newest bound when descending, the oldest when ascending', () => {
    expect(readTimeRange({ begin: '100' })).toEqual({ to: 100_000, ascending: false });
    expect(readTimeRange({ begin: '100', ascending: 'yes' })).toEqual({ from: 100_000, ascending: true });
  });
  it('takes RFC 2822 dates', () =>
    expect(readTimeRange({ begin: 'Fri, 3 May 2013 09:00:00 -0000', ascending: 'yes' })).toEqual({
      from: Date.UTC(2013, 4, 3, 9),
      ascending: true,
    }));
  it.each([
    [{ begin: 'yesterday' }, 'begin'],
    [{ end: '2026-11-25' }, 'end'],
    [{ ascending: 'maybe' }, 'ascending'],
    [{ begin: '1', end: '2', ascending: 'no' }, 'ascending'],
  ])('refuses %j, naming the field', (query, field) => {
    expect(() => readTimeRange(query)).toThrow(expect.objectContaining({ status: 400, field }));
  });
});
