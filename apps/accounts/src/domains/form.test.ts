import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { form, notYet, yesNo } from './form.ts';

describe('booleans', () => {
  it.each([
    [true, ['yes', 'true', 'True', 'YES', '1', 1, true]],
    [false, ['no', 'false', 'False', '0', 0, false]],
  ])('%s in every spelling', (meant, spellings) => {
    expect(spellings.map((given) => yesNo.parse(given))).toEqual(spellings.map(() => meant));
  });

  it.each([['maybe'], [2], [['yes', 'no']], [{}]])('%j is none', (given) => {
    expect(yesNo.safeParse(given).error?.issues[0]?.message).toBe('must be yes or no');
  });

  it('what is not there yet can be off, not on', () => {
    expect(notYet.parse('no')).toBe(false);
    expect(notYet.safeParse('yes').error?.issues[0]?.message).toBe('is not supported yet');
  });
});

describe('forms', () => {
  const schema = form({ a: z.string().optional(), b: yesNo.default(true) });

  it.each([[undefined], [null], [{}], [{ a: '', b: '' }], [{ a: null, other: 'x' }]])('%j says nothing', (given) => {
    expect(schema.parse(given)).toEqual({ b: true });
  });

  it.each([['text'], [['a', 'b']]])('%j is none', (given) => {
    expect(schema.safeParse(given).success).toBe(false);
  });
});
