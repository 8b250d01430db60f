import { describe, expect, it } from 'vitest';
import { normalDomain } from './domain-name.ts';

describe('domain names', () => {
  it.each([
    ['Mail.Example.COM', 'mail.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['a。example', 'a.example'],
    ['1.example', '1.example'],
  ])('%s → %s', (given, expected) => expect(normalDomain(given)).toBe(expected));

  it.each([
    '',
    'example',
    'example.com/evil',
    'user@example.com',
    'example.com.',
    '-a.example',
    'a_b.example',
    'a..example',
    '127.0.0.1',
    '1.1',
    '[::1]',
    'exa mple.com',
    '%65xample.com',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
    'a.example\r\nX: y',
  ])('refuses %j', (given) => expect(normalDomain(given)).toBeUndefined());
});
