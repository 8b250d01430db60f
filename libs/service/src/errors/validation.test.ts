import { expect, it } from 'vitest';
import { z } from 'zod';
import { validationError } from './validation.ts';

function refusal(schema: z.ZodType, value: unknown) {
  return validationError(schema.safeParse(value).error?.issues ?? []);
}

it('names the field', () => {
  const error = refusal(z.object({ list: z.array(z.object({ n: z.number() })) }), { list: [{ n: 1 }, {}] });
  expect([error.status, error.field]).toEqual([400, 'list.1.n']);
  expect(error.message).toMatch(/^list\.1\.n: /);
});

it('does not repeat names the client made up', () => {
  const strict = refusal(z.strictObject({ a: z.number() }), { a: 1, 'jane@example.org': 2 });
  const record = refusal(z.record(z.string(), z.number()), { 'jane@example.org': 'x' });
  expect([strict.message, record.field]).toEqual(['Unknown field', undefined]);
  expect(record.message).not.toContain('jane');
});
