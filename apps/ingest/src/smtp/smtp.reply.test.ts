import { ApiError, createLog, OverloadedError } from '@lethe/service';
import { expect, it } from 'vitest';
import { refusalOf, refuse } from './smtp.reply.ts';

const log = createLog({ service: 'test', level: 'silent' });

it.each([
  [new ApiError(400, 'the field'), 554],
  [new ApiError(403, 'not you'), 550],
  [new ApiError(404, 'gone'), 550],
  [new ApiError(413, 'large'), 552],
  [refuse(553, '5.7.1 sender'), 553],
])('%s is the client’s: it keeps what it says', (error, code) => {
  const refusal = refusalOf(error, log);
  expect(refusal.responseCode).toBe(code);
  expect(refusal.message).toMatch(/^5\.\d\.\d /);
  expect(refusal.message).toContain(error.message);
});

const coded = (code: string) => Object.assign(new Error('could not write for jane@world.example'), { code });

it.each([
  [new ApiError(503, 'away'), 451],
  [new ApiError(500, 'broken'), 451],
  [new ApiError(429, 'wait'), 450],
  [new OverloadedError(), 451],
  [coded('ECONNREFUSED'), 451],
  [coded('53100'), 451],
  [coded('ENOSPC'), 451],
  [new TypeError('jane@world.example is undefined'), 451],
  ['a string', 451],
])('%s is ours: never permanent, and it repeats nothing', (error, code) => {
  const refusal = refusalOf(error, log);
  expect(refusal.responseCode).toBe(code);
  expect(refusal.message).toMatch(/^4\.\d\.\d /);
  expect(refusal.message).not.toContain('jane');
});
