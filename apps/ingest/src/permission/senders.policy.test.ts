import { describe, expect, it } from 'vitest';
import { assertAllowed } from './senders.policy.ts';

describe('allowed senders', () => {
  const allowed = ['ann@a.example', 'b.example'];
  it.each([[['ann@a.example']], [['anybody@b.example']], [['ann@a.example', '"x@y"@b.example']]])(
    'allow %j',
    (authors) => {
      expect(() => assertAllowed(allowed, authors)).not.toThrow();
    },
  );
  it.each([
    [['ben@a.example']],
    [['ann@sub.b.example']],
    [['b.example@c.example']],
    [['ann@a.example', 'ben@a.example']],
  ])('refuse %j', (authors) => {
    expect(() => assertAllowed(allowed, authors)).toThrow(/sender is not allowed/);
  });
});
