import { describe, expect, it } from 'vitest';
import { canonicalDomain, normalForm, parseAddress } from './address.ts';

const address = (text: string) => {
  const read = parseAddress(text, 'to');
  return read.ok ? read.value.address : read.refusal.reason;
};

describe('parseAddress', () => {
  it.each([
    ['jane.doe@mail.example', 'jane.doe@mail.example'],
    ['Jane@MAIL.Example', 'Jane@mail.example'],
    ["o'hara+tag=x@mail.example", "o'hara+tag=x@mail.example"],
    ['"jane doe"@mail.example', '"jane doe"@mail.example'],
    ['"jane.doe"@mail.example', 'jane.doe@mail.example'],
    [String.raw`"ja\ne"@mail.example`, 'jane@mail.example'],
    ['"a@b"@mail.example', '"a@b"@mail.example'],
    [String.raw`"a\"b"@mail.example`, String.raw`"a\"b"@mail.example`],
    ['""@mail.example', '""@mail.example'],
    ['jürgen@bücher.example', 'jürgen@xn--bcher-kva.example'],
    ['a@BÜCHER.example', 'a@xn--bcher-kva.example'],
    ['a@faß.example', 'a@xn--fa-hia.example'],
    ['用户@例子.example', '用户@xn--fsqu00a.example'],
    ['a@1and1.example', 'a@1and1.example'],
  ])('takes %s as %s', (text, expected) => expect(address(text)).toBe(expected));

  it.each([
    ['', 'missing'],
    ['jane', 'malformed'],
    ['@mail.example', 'malformed'],
    ['jane@', 'malformed'],
    ['jane@localhost', 'malformed'],
    ['jane@mail..example', 'malformed'],
    ['jane@.mail.example', 'malformed'],
    ['jane@mail.example.', 'malformed'],
    ['jane@-mail.example', 'malformed'],
    ['jane@ma_il.example', 'malformed'],
    ['jane@127.0.0.1', 'malformed'],
    ['jane@0x7f.1', 'malformed'],
    ['jane@[127.0.0.1]', 'malformed'],
    ['jane@ex%41mple.example', 'malformed'],
    ['jane@mail.example/path', 'malformed'],
    ['.jane@mail.example', 'malformed'],
    ['jane.@mail.example', 'malformed'],
    ['ja..ne@mail.example', 'malformed'],
    ['ja ne@mail.example', 'malformed'],
    ['ja(ne@mail.example', 'malformed'],
    ['a@b@mail.example', 'malformed'],
    ['"jane@mail.example', 'malformed'],
    [String.raw`"jane\"@mail.example`, 'malformed'],
    ['"a"b"@mail.example', 'malformed'],
    ['"a\tb"@mail.example', 'malformed'],
    ['@relay.example:jane@mail.example', 'malformed'],
    ['\ud800@mail.example', 'control-character'],
    [`${'a'.repeat(65)}@mail.example`, 'too-long'],
    [`${'é'.repeat(33)}@mail.example`, 'too-long'],
    [`${'a'.repeat(64)}@${`${'b'.repeat(60)}.`.repeat(3)}example`, 'too-long'],
    [`a@${'b'.repeat(64)}.example`, 'malformed'],
    [`${'a'.repeat(50_000)}@mail.example`, 'too-long'],
  ])('refuses %s', (text, reason) => expect(address(text)).toBe(reason));

  it('takes the longest local part and address there may be', () => {
    const local = 'a'.repeat(64);
    const domain = `${`${'b'.repeat(60)}.`.repeat(3)}ccc.de`; // 64 + 1 + 189 = 254
    expect(address(`${local}@${domain}`)).toBe(`${local}@${domain}`);
    expect(address(`${local}@c${domain}`)).toBe('too-long');
  });

  it('refuses a line break or NUL wherever it stands, and never quotes what it refuses', () => {
    const good = 'jane@mail.example';
    for (const bad of ['\r', '\n', '\0', '\r\n', '\u0085', '\u2028', '\u007f']) {
      for (let at = 0; at <= good.length; at++) {
        const read = parseAddress(good.slice(0, at) + bad + good.slice(at), 'cc');
        if (read.ok) throw new Error(`taken with a control character at ${at}`);
        expect(read.refusal).toMatchObject({ field: 'cc', reason: 'control-character' });
        expect(read.refusal.message).not.toContain('jane');
      }
    }
  });
});

describe('normalForm', () => {
  it.each([
    ['Jane.DOE@Mail.Example', 'jane.doe@mail.example'],
    ['jane@bücher.example', 'jane@xn--bcher-kva.example'],
    ['jane+tag@mail.example', 'jane+tag@mail.example'],
    ['JÜRGEN@mail.example', 'jürgen@mail.example'],
  ])('makes %s %s', (text, expected) => {
    expect(normalForm(text)).toBe(expected);
    expect(normalForm(normalForm(text))).toBe(expected);
  });
});

it('knows the domains mail can be sent to', () => {
  expect(canonicalDomain('MAIL.Bücher.example')).toBe('mail.xn--bcher-kva.example');
  for (const bad of ['', 'example', '1.2.3.4', 'a b.example', 'a.example:25', `${'a.'.repeat(130)}example`]) {
    expect(canonicalDomain(bad)).toBeUndefined();
  }
});
