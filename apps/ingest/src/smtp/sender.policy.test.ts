import { expect, it } from 'vitest';
import { maySendAs } from './sender.policy.ts';

it.each([
  ['example.com', 'example.com', true],
  ['mg.example.com', 'example.com', true],
  ['example.com', 'mg.example.com', false],
  ['example.com', 'com', false],
  ['notexample.com', 'example.com', false],
  ['a.example.com', 'b.example.com', false],
])('a login of %s as %s: %s', (domain, sender, may) => expect(maySendAs(domain, sender)).toBe(may));
