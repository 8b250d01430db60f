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

it('shows the name of an unknown field where it is a plain identifier, and where it is', () => {
  const list = z.object({ list: z.array(z.strictObject({ a: z.number() })) });
  const unknown = (name: string) => refusal(list, { list: [{ a: 1 }, { a: 1, [name]: 2 }] });
  expect([unknown('adress').field, unknown('adress').message]).toEqual([
    'list.1.adress',
    'list.1.adress: is not a known field',
  ]);
  for (const name of ['Jane', 'jane.doe', 'a'.repeat(41), 'ä', 'jane1980', '']) {
    expect([unknown(name).field, unknown(name).message]).toEqual([undefined, 'Unknown field']);
  }
});
