import { createHash, generateKeyPairSync } from 'node:crypto';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { describe, expect, it } from 'vitest';
import { prependHeaders } from '../message/edit.ts';
import { splitMessage } from '../message/header.ts';
import { dkimBodyHash, relaxedBody, relaxedField } from './canonical.ts';
import { dkimSign } from './sign.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');
const records: Record<string, string> = {
  'r._domainkey.a.example': `v=DKIM1; k=rsa; p=${rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`,
  'e._domainkey.a.example': `v=DKIM1; k=ed25519; p=${ed25519.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}`,
};

async function signed(raw: Buffer, selector: 'r' | 'e' = 'r'): Promise<Buffer> {
  const { privateKey } = selector === 'r' ? rsa : ed25519;
  const line = await dkimSign({
    header: splitMessage(raw).header,
    bodyHash: dkimBodyHash(raw),
    domain: 'a.example',
    selector,
    privateKey,
    time: Date.now() / 1000,
  });
  return prependHeaders(raw, [line]);
}

async function verdicts(raw: Buffer): Promise<string[]> {
  const { results } = await dkimVerify(raw, {
    resolver: (name: string) => Promise.resolve([[records[name] ?? '']]),
    strict: true,
  });
  return results.map((result: { status: { result: string } }) => result.status.result);
}

const message = (header: string, body = 'hello\r\n') => Buffer.from(`${header}\r\n${body}`, 'latin1');
const HEADER = 'From: Jane <jane@a.example>\r\nTo: x@b.example\r\nSubject: Hello\r\n';

describe('dkimSign', () => {
  it.each(['r', 'e'] as const)('makes a signature that verifies (%s)', async (selector) => {
    expect(await verdicts(await signed(message(HEADER), selector))).toEqual(['pass']);
  });

  it('makes an RSA and an Ed25519 signature side by side', async () => {
    const raw = message(HEADER);
    const both = prependHeaders(await signed(raw, 'r'), [
      (await signed(raw, 'e')).toString('latin1').split('From: ', 1)[0] ?? '',
    ]);
    expect(await verdicts(both)).toEqual(['pass', 'pass']);
  });

  it.each([
    [
      'folded and blank-ridden fields',
      'From :\t Jane\r\n  <jane@a.example> \r\nSUBJECT:   a \t b  \r\n\tc\r\n',
      'a  b \t\r\n\r\n\r\n',
    ],
    ['two From fields', `${HEADER}From: Other <o@c.example>\r\nSubject: Second\r\n`, 'x\r\n'],
    [
      '8-bit bytes that are no blanks',
      'From: J\xc3\xa0n\xa0e <jane@a.example>\r\nSubject: \xa0\xa0\x85 \xe0\r\n',
      '\xa0 \xa0\r\n',
    ],
    ['an empty subject and an empty body', 'From: jane@a.example\r\nSubject:\r\nTo:\r\n', ''],
    [
      'lines that are no fields',
      'From x Mon May  2\r\nFrom: jane@a.example\r\nTo: b@c.example\r\n__\r\n more\r\nSubject: x\r\n',
      'y\r\n',
    ],
    ['a body without its last line end', HEADER, 'hello'],
    ['a field of 20,000 characters', `${HEADER}References: ${'<a@b.example>\r\n '.repeat(1300)}\r\n`, 'x\r\n'],
    ['lines of dots', HEADER, '.\r\n..\r\n'],
  ])('signs %s', async (_name, header, body) => {
    expect(await verdicts(await signed(message(header, body)))).toEqual(['pass']);
  });

  it('notices every change that matters', async () => {
    const text = (await signed(message(HEADER))).toString('latin1');
    const changed = (from: string, to: string) => verdicts(Buffer.from(text.replace(from, to), 'latin1'));
    expect(await changed('hello', 'hellO')).not.toContain('pass');
    expect(await changed('Subject: Hello', 'Subject: Hullo')).not.toContain('pass');
    expect(await changed('hello\r\n', 'hello\r\nmore\r\n')).not.toContain('pass');
    for (const added of [
      'From: evil@e.example',
      'Subject: two',
      'Reply-To: evil@e.example',
      'Cc: x@e.example',
      'Date: now',
    ]) {
      expect(await changed('To: x@b', `${added}\r\nTo: x@b`)).not.toContain('pass');
    }
    expect(await changed('Subject: Hello', 'X-Other: added\r\nsubject:  Hello ')).toEqual(['pass']);
  });

  it('keeps its lines short and its tags plain', async () => {
    const line = (await signed(message(HEADER))).toString('latin1').split('From: ', 1)[0] ?? '';
    expect(line.endsWith('\r\n')).toBe(true);
    expect(line.split('\r\n').every((one) => one.length <= 80)).toBe(true);
    expect(line).toContain('c=relaxed/relaxed');
    expect(line).not.toContain('l=');
  });
});

describe('canonical forms (RFC 6376 3.4)', () => {
  it.each([
    ['', ''],
    ['\r\n', ''],
    ['\r\n\r\n\r\n', ''],
    [' \r\n\t\r\n', ''],
    [' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['a', 'a\r\n'],
    ['a \t', 'a\r\n'],
    ['a \r\nb\r\n', 'a\r\nb\r\n'],
    ['a\tb\r\n', 'a b\r\n'],
    ['a  b\r\n', 'a b\r\n'],
    ['a ', 'a\r\n'],
    ['a\r\n\r\nb\r\n', 'a\r\n\r\nb\r\n'],
    ['  a\r\n', ' a\r\n'],
  ])('body %j is %j', (body, expected) => expect(relaxedBody(Buffer.from(body)).toString()).toBe(expected));

  it('field', () => {
    expect(relaxedField('A', ' X\r\n')).toBe('a:X');
    expect(relaxedField('B ', ' Y\t\r\n\tZ  \r\n')).toBe('b :Y Z');
  });

  it('hashes the empty body as the RFC says', () => {
    expect(dkimBodyHash(message(HEADER, ''))).toBe(createHash('sha256').digest('base64'));
  });
});
