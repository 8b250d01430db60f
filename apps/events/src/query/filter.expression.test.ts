import { describe, expect, it } from 'vitest';
import { ExpressionError, parseExpression } from './filter.expression.ts';

const term = (text: string, phrase = false) => ({ kind: 'term', text, phrase });

describe('filter expressions', () => {
  it.each([
    ['delivered', term('delivered')],
    ['rejected OR failed', { kind: 'any', inner: [term('rejected'), term('failed')] }],
    ['a b', { kind: 'all', inner: [term('a'), term('b')] }],
    ['a AND b OR c', { kind: 'any', inner: [{ kind: 'all', inner: [term('a'), term('b')] }, term('c')] }],
    ['NOT a', { kind: 'not', inner: term('a') }],
    ['a (b OR "c d")', { kind: 'all', inner: [term('a'), { kind: 'any', inner: [term('b'), term('c d', true)] }] }],
    [
      '>10 < 20',
      {
        kind: 'all',
        inner: [
          { kind: 'compare', operator: 'gt', value: 10 },
          { kind: 'compare', operator: 'lt', value: 20 },
        ],
      },
    ],
    ['ok+1@x.example', term('ok+1@x.example')],
  ])('%s', (text, expected) => {
    expect(parseExpression(text)).toEqual(expected);
  });

  it.each(['', '   ', '(a', 'a)', 'OR', 'a OR', 'NOT', '"a', '('.repeat(30) + 'a', 'a '.repeat(300)])(
    'refuses %j',
    (text) => {
      expect(() => parseExpression(text)).toThrow(ExpressionError);
    },
  );

  it('takes linear time', () => {
    const started = performance.now();
    expect(() => parseExpression('"'.repeat(100_001))).toThrow(ExpressionError);
    expect(() => parseExpression(`${' '.repeat(100_000)}(`)).toThrow(ExpressionError);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
