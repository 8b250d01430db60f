import { createSecretKey } from 'node:crypto';
import { readReturnPath } from '@lethe/mail';
import { describe, expect, it } from 'vitest';
import { isReturnPathHost, ReturnPaths } from './return.paths.ts';

const KEY = '0f'.repeat(32);
const RECIPIENT = { messageId: '019ab7a0-0000-7000-8000-000000000abc', ordinal: 7 };
const pathOf = (host: string | undefined, name = 'news.example'): string | undefined =>
  new ReturnPaths({ RETURN_PATH_HOST: host, RETURN_PATH_KEY: KEY }).of(RECIPIENT, { name });

describe('a return path', () => {
  it.each([
    ['bounces.example.com', 'bounces.example.com'],
    ['bounce.{domain}', 'bounce.news.example'],
    ['{domain}', 'news.example'],
    ['{domain}.bounces.example.com', 'news.example.bounces.example.com'],
  ])('at %s is at %s, and says whom it is for to who has the key', (host, at) => {
    const [local, domain] = pathOf(host)?.split('@') ?? [];
    expect(domain).toBe(at);
    expect(readReturnPath(createSecretKey(KEY, 'hex'), local)).toEqual(RECIPIENT);
  });

  it('is not there without a host', () => {
    expect(pathOf(undefined)).toBeUndefined();
  });

  it('is not longer than a path may be', () => {
    const name = (octets: number): string => `${'a.'.repeat((octets - 2) / 2)}aa`;
    // 58 octets, the @, and `b.`
    expect(pathOf('b.{domain}', name(192))?.length).toBe(253);
    expect(pathOf('bb.{domain}', name(192))?.length).toBe(254);
    expect(pathOf('bbb.{domain}', name(192))).toBeUndefined();
  });
});

it.each([
  ['bounces.example.com', true],
  ['bounce.{domain}', true],
  ['{domain}', true],
  ['{domain}.bounces.example.com', true],
  ['xn--bcher-kva.example', true],
  ['', false],
  ['localhost', false],
  ['bounces.example.com.', false],
  ['bounces@example.com', false],
  ['bücher.example', false],
  ['bounce-{domain}', false],
  ['{domain}s.example', false],
  ['{domain}.{domain}', false],
  ['{account}.example.com', false],
  ['192.0.2.1', false],
  ['a b.example', false],
])('%j is a host for return paths: %s', (text, is) => expect(isReturnPathHost(text)).toBe(is));
