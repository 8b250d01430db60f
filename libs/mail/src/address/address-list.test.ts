import { describe, expect, it } from 'vitest';
import { parseAddressList, readHeaderAddresses } from './address-list.ts';

const list = (values: string | string[], max?: number) => {
  const read = parseAddressList(values, 'to', max === undefined ? {} : { max });
  return read.ok ? read.value.map(({ name, address }) => `${name}|${address}`) : read.refusal.reason;
};

describe('parseAddressList', () => {
  it.each([
    ['a@b.example', ['|a@b.example']],
    ['<a@b.example>', ['|a@b.example']],
    ['Jane Doe <a@b.example>', ['Jane Doe|a@b.example']],
    ['"Doe, Jane" <a@b.example>, c@d.example', ['Doe, Jane|a@b.example', '|c@d.example']],
    [String.raw`"Jane \"J\" Doe" <a@b.example>`, ['Jane "J" Doe|a@b.example']],
    ['Jané Doe <a@b.example>', ['Jané Doe|a@b.example']],
    ['=?utf-8?q?Jan=C3=A9?= <a@b.example>', ['Jané|a@b.example']],
    ['a@b.example (Jane Doe)', ['Jane Doe|a@b.example']],
    ['Jane (a (nested) one) <a@b.example>', ['Jane|a@b.example']],
    ['John Q. Public <a@b.example>', ['John Q. Public|a@b.example']],
    ['a@b.example <a@b.example>', ['a@b.example|a@b.example']],
    ['"a,b"@c.example, "<x>"@c.example', ['|"a,b"@c.example', '|"<x>"@c.example']],
    [' , a@b.example,, c@d.example , ', ['|a@b.example', '|c@d.example']],
    ['Jane <"a>b"@c.example>', ['Jane|"a>b"@c.example']],
  ])('reads %s', (text, expected) => expect(list(text)).toEqual(expected));

  it('reads a field given more than once', () => {
    expect(list(['a@b.example', 'c@d.example, e@f.example'])).toHaveLength(3);
  });

  it.each([
    ['', 'missing'],
    [' , ', 'missing'],
    ['Jane <>', 'missing'],
    ['Jane <a@b.example', 'malformed'],
    ['Jane', 'malformed'],
    ['Doe, Jane <a@b.example>', 'malformed'],
    ['<a@b.example> c@d.example', 'malformed'],
    ['<a@b.example><c@d.example>', 'malformed'],
    ['"Jane <a@b.example>', 'malformed'],
    ['friends: a@b.example, c@d.example;', 'group'],
    ['undisclosed-recipients:;', 'group'],
    ['a@b.example; c@d.example', 'group'],
    ['=?utf-8?q?Jane=0D=0ABcc=3A?= <a@b.example>', 'control-character'],
    [`${'x'.repeat(999)} <a@b.example>`, 'too-long'],
  ])('refuses %s', (text, reason) => expect(list(text)).toBe(reason));

  it('takes up to the most it may', () => {
    const thousand = Array.from({ length: 1000 }, (_, n) => `p${n}@b.example`);
    expect(list(thousand.join(','))).toHaveLength(1000);
    expect(list([...thousand, 'one-more@b.example'])).toBe('too-many');
    expect(list('a@b.example,c@d.example', 1)).toBe('too-many');
  });

  it('refuses a line break or NUL wherever it stands', () => {
    const good = '"Doe, Jane" <a@b.example>';
    for (const bad of ['\r', '\n', '\0']) {
      for (let at = 0; at <= good.length; at++)
        expect(list(good.slice(0, at) + bad + good.slice(at))).toBe('control-character');
    }
  });

  it('stays fast on what is made to be slow', () => {
    const unit = ['@', '"', '(', '<', ',', ':', ';', '\\', 'a.', '"(<', '=?utf-8?q?', 'é', ' ', '<"'];
    const started = process.cpuUsage();
    for (const part of unit) {
      for (const text of [part.repeat(50_000), `"${part.repeat(50_000)}`, `a@${part.repeat(50_000)}`]) {
        parseAddressList(text, 'to');
        readHeaderAddresses(text);
      }
    }
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(3_000); // 84 readings of 50 KB and more; a slow one alone takes longer
  });
});

describe('readHeaderAddresses', () => {
  it('flattens groups and skips what cannot be read', () => {
    const read = (text: string) => readHeaderAddresses(text).map((mailbox) => mailbox.address);
    expect(read('friends: a@b.example, Jane <c@d.example>; e@f.example')).toEqual([
      'a@b.example',
      'c@d.example',
      'e@f.example',
    ]);
    expect(read('undisclosed-recipients:;')).toEqual([]);
    expect(read('nonsense, Jane\r\n <a@b.example>, <broken')).toEqual(['a@b.example']);
    expect(readHeaderAddresses('a@b.example,'.repeat(50), 10)).toHaveLength(10);
    expect(readHeaderAddresses(`${'x'.repeat(5000)} <a@b.example>`)).toMatchObject([
      { name: '', address: 'a@b.example' },
    ]);
    expect(readHeaderAddresses('=?utf-8?q?a=0D=0Ab?= <a@b.example>')).toMatchObject([{ name: 'a b' }]);
  });
});
