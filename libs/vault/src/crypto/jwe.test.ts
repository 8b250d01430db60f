import { CompactEncrypt, compactDecrypt } from 'jose';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt, parse } from './jwe.ts';
import type { SealHeader } from './jwe.ts';

const bytes = randomBytes(32);
const key = createSecretKey(bytes);
const header: SealHeader = {
  alg: 'dir',
  enc: 'A256GCM',
  acc: '0191d0f0-0000-7000-8000-000000000001',
  typ: 'envelope',
  rid: '0191d0f0-0000-7000-8000-000000000002/7',
  sub: '6f1ed002-ab55-4917-9d5e-000000000003',
  per: 'e30/2026112500',
};
const plaintext = '{"address":"ärmel@example.com","name":"Zoë 🐟"}';

const open = (jwe: string): string => decrypt(key, parse(jwe));

describe('the jose library', () => {
  it('opens what we seal', async () => {
    const opened = await compactDecrypt(encrypt(key, header, plaintext), bytes);
    expect(Buffer.from(opened.plaintext).toString('utf8')).toBe(plaintext);
    expect(opened.protectedHeader).toEqual(header);
  });

  it.each(['', 'x', plaintext, 'long '.repeat(20_000)])('seals what we open', async (text) => {
    const jwe = await new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ ...header }).encrypt(bytes);
    expect(open(jwe)).toBe(text);
    expect(parse(jwe).header).toEqual(header);
  });
});

describe('a sealed value', () => {
  it('has an IV of its own, every time', () => {
    const ivs = Array.from({ length: 2000 }, () => encrypt(key, header, plaintext).split('.')[2]);
    expect(new Set(ivs).size).toBe(2000);
  });

  it.each(Object.keys(header).filter((field) => field !== 'alg' && field !== 'enc'))(
    'does not open once its header field %s is changed',
    (field) => {
      const [, ...rest] = encrypt(key, header, plaintext).split('.');
      const changed = Buffer.from(JSON.stringify({ ...header, [field]: 'another' })).toString('base64url');
      expect(() => open([changed, ...rest].join('.'))).toThrow(expect.objectContaining({ code: 'altered' }));
    },
  );

  it.each([2, 3, 4])('does not open once part %i is changed', (index) => {
    const parts = encrypt(key, header, plaintext).split('.');
    const part = parts[index] ?? '';
    parts[index] = (part.startsWith('A') ? 'B' : 'A') + part.slice(1);
    expect(() => open(parts.join('.'))).toThrow(expect.objectContaining({ code: 'altered' }));
  });

  it('does not open under another key', () => {
    const other = createSecretKey(randomBytes(32));
    expect(() => decrypt(other, parse(encrypt(key, header, plaintext)))).toThrow(
      expect.objectContaining({ code: 'altered' }),
    );
  });

  const withHeader = (fields: object): string => {
    const [, ...rest] = encrypt(key, header, plaintext).split('.');
    return [Buffer.from(JSON.stringify({ ...header, ...fields })).toString('base64url'), ...rest].join('.');
  };

  it.each([
    ['another algorithm', withHeader({ alg: 'A256KW' })],
    ['another encryption', withHeader({ enc: 'A128GCM' })],
    ['compression', withHeader({ zip: 'DEF' })],
    ['critical extensions', withHeader({ crit: ['x'] })],
    ['no account', withHeader({ acc: undefined })],
    ['a subject that is no text', withHeader({ sub: 7 })],
    ['no header', '....'],
    ['an encrypted key', encrypt(key, header, plaintext).replace('..', '.AAAA.')],
    ['a part missing', encrypt(key, header, plaintext).split('.').slice(0, 4).join('.')],
    ['a short tag', encrypt(key, header, plaintext).slice(0, -6)],
    ['a null header', `${Buffer.from('null').toString('base64url')}..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA`],
    ['nothing', ''],
  ])('is refused with %s', (_, jwe) => {
    expect(() => parse(jwe)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});
