import { describe, expect, it } from 'vitest';
import { MOST_BOUNCES, readBounces } from './bounce.input.ts';

const NOW = Date.UTC(2026, 10, 28, 12);
const one = (body: unknown) => readBounces(body, NOW).bounces[0];

describe('a bounce as clients send it', () => {
  it.each([
    ['a form', { address: 'Ana@X.example', code: '551', error: 'no' }, 551],
    ['a number as code', { address: 'Ana@X.example', code: 551, error: 'no' }, 551],
    ['no code', { address: 'Ana@X.example', error: 'no' }, 550],
    ['an empty code', { address: 'Ana@X.example', code: '', error: 'no' }, 550],
    ['nulls, and fields nobody knows', { address: 'Ana@X.example', code: null, error: 'no', tag: '*', reason: 1 }, 550],
  ])('%s', (_, body, code) => {
    const expected = { address: 'Ana@x.example', normalForm: 'ana@x.example', code, error: 'no' };
    expect(one(body)).toEqual({ ...expected, createdAt: new Date(NOW) });
  });

  it('an array is many, an object in it or alone one', () => {
    const body = { address: 'a@x.example' };
    expect(readBounces([body], NOW)).toMatchObject({ many: true, bounces: [body] });
    expect(readBounces(body, NOW)).toMatchObject({ many: false, bounces: [body] });
    expect(
      readBounces(
        Array.from({ length: MOST_BOUNCES }, () => body),
        NOW,
      ).bounces,
    ).toHaveLength(MOST_BOUNCES);
  });

  it('what it says of anybody is masked, and bounded', () => {
    expect(one({ address: 'a@x.example', error: '550 <bob@y.example>: user unknown\r\n' })?.error).toBe(
      '550 <recipient>: user unknown ',
    );
    expect(one({ address: 'a@x.example', error: 'no '.repeat(5_000) })?.error).toHaveLength(1_024);
  });

  it.each([
    ['nothing', undefined, `'address' parameter is missing`],
    ['an empty array', [], `'address' parameter is missing`],
    ['an empty address', { address: ' ' }, `'address' parameter is missing`],
    ['no address', [{ address: 'a@x.example' }, {}], `'[1].address' parameter is missing`],
    ['a malformed one', { address: 'ana' }, `'address' parameter is not valid: an address needs the form local@domain`],
    ['two', { address: ['a@x.example', 'b@x.example'] }, `'address' parameter is not valid: one value is needed`],
    ['an enhanced code', { address: 'a@x.example', code: '5.1.1' }, `'code' parameter is not valid`],
    ['no object', ['a@x.example'], `'[0].address' parameter is not valid: one value is needed`],
    ['text', 'a@x.example', `'address' parameter is not valid: one value is needed`],
    ['no date', { address: 'a@x.example', created_at: 'soon' }, `'created_at' parameter is not valid`],
    ['too many', Array.from({ length: MOST_BOUNCES + 1 }, () => ({ address: 'a@x.example' })), 'at most 1000 bounces'],
  ])('%s is refused, naming the field and quoting nothing', (_, body, message) => {
    let said = '';
    try {
      readBounces(body, NOW);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said.startsWith(message)).toBe(true);
    expect(said).not.toMatch(/x\.example|ana/);
  });
});
