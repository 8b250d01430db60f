import { expect, it } from 'vitest';
import { readCreatedAt } from './created-at.ts';

const NOW = Date.UTC(2026, 10, 28, 12);
const read = (text: string | undefined) => readCreatedAt(text, 'created_at', NOW)?.toISOString();

it.each([
  ['Thu, 13 Oct 2011 18:02:00 GMT', '2011-10-13T18:02:00.000Z'],
  ['Thu, 13 Oct 2011 18:02:00 UTC', '2011-10-13T18:02:00.000Z'],
  ['Thu, 13 Oct 2011 20:02:00 +0200', '2011-10-13T18:02:00.000Z'],
  ['3 Oct 2011 18:02 -0000', '2011-10-03T18:02:00.000Z'],
  // RFC 5322 §4.3: a zone nobody knows is UTC.
  ['Thu, 13 Oct 2011 18:02:00 XYZ', '2011-10-13T18:02:00.000Z'],
  ['2011-10-13T18:02:00.000Z', '2011-10-13T18:02:00.000Z'],
])('%s', (text, expected) => expect(read(text)).toBe(expected));

it.each([undefined, '', 'Mon, 01 Jan 0001 00:00:00 UTC', 'Mon, 01 Jan 0001 00:00:00 +0000', '0001-01-01T00:00:00Z'])(
  'none: %s',
  (text) => expect(read(text)).toBeUndefined(),
);

it.each(['Thu, 01 Jan 1970 00:00:00 GMT', 'Thu, 13 Oct 2044 18:02:00 GMT'])('absurd, so none: %s', (text) => {
  expect(read(text)).toBeUndefined();
});

it.each(['yesterday', '1318528920', 'Thu, 45 Oct 2011 18:02:00 GMT'])('no date: %s', (text) => {
  expect(() => read(text)).toThrow(/'created_at'/);
});
