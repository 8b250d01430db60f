import { expect, it } from 'vitest';
import { dueDate } from './due-date.ts';

it.each([
  ['2026-11-28T10:00:00.123Z', '2026-12-28T10:00:00.123Z'],
  ['2026-12-31T23:59:59.000Z', '2027-01-31T23:59:59.000Z'],
  ['2027-01-31T08:00:00.000Z', '2027-02-28T08:00:00.000Z'],
  ['2028-01-30T08:00:00.000Z', '2028-02-29T08:00:00.000Z'],
  ['2026-03-31T00:00:00.000Z', '2026-04-30T00:00:00.000Z'],
])('what is received at %s is due at %s', (receivedAt, due) => {
  expect(dueDate(new Date(receivedAt)).toISOString()).toBe(due);
});
