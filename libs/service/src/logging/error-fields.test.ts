import { expect, it } from 'vitest';
import { OverloadedError } from '../bounded/overloaded-error.ts';
import { errorClass, isUnavailable } from './error-fields.ts';

const coded = (code: string | number) => Object.assign(new Error('text'), { code });

it.each([
  ['ECONNREFUSED', 'connection', true],
  ['57P01', 'shutdown', true],
  ['53100', 'disk-full', true],
  ['53300', 'resources', true],
  ['57014', 'timeout', true],
  ['SEARCH_UNAVAILABLE', 'connection', true],
  ['23505', 'constraint', false],
  ['42P01', 'statement', false],
  ['40001', 'conflict', false],
  [550, 'permanent-reply', false],
  ['jane@example.org', 'other', false],
])('%s is a matter of %s', (code, kind, unavailable) => {
  expect([errorClass(coded(code)), isUnavailable(coded(code))]).toEqual([kind, unavailable]);
});

it('reads what pg says without a code', () => {
  expect(isUnavailable(new Error('Connection terminated unexpectedly'))).toBe(true);
  expect(isUnavailable(new Error('timeout exceeded when trying to connect'))).toBe(true);
});

it('looks into the cause, and takes a full queue as a reason to wait', () => {
  expect(isUnavailable(new Error('x', { cause: coded('ECONNRESET') }))).toBe(true);
  expect(isUnavailable(new OverloadedError())).toBe(true);
  expect(isUnavailable(new TypeError('x'))).toBe(false);
});
