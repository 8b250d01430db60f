import { describe, expect, it } from 'vitest';
import { headerLine, mailDate, missingHeaders, prependHeaders, removeHeaders } from './edit.ts';
import { headerFields, rawValue, splitMessage } from './header.ts';
import { normaliseMessage } from './normalise.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const normalised = (text: string) => {
  const read = normaliseMessage(bytes(text));
  return read.ok ? read.value.toString('latin1') : read.refusal.reason;
};

describe('normaliseMessage', () => {
  it.each([
    ['A: b\r\n\r\nc\r\n', 'A: b\r\n\r\nc\r\n'],
    ['A: b\n\nc\n', 'A: b\r\n\r\nc\r\n'],
    ['A: b\r\n\nc\n', 'A: b\r\n\r\nc\r\n'],
    ['A: b\r\n\r\nc', 'A: b\r\n\r\nc\r\n'],
    ['\n\n', '\r\n\r\n'],
    ['\n.\n', '\r\n.\r\n'],
    ['A: \xff\x80\n', 'A: \xff\x80\r\n'],
    [`A: ${'x'.repeat(5000)}\r\n`, `A: ${'x'.repeat(5000)}\r\n`],
  ])('makes %j %j', (text, expected) => {
    expect(normalised(text)).toBe(expected);
    expect(normalised(expected)).toBe(expected);
  });

  it('refuses a bare CR and a NUL wherever they stand, and an empty message', () => {
    const good = 'A: b\r\n\r\nc\r\n';
    for (let at = 0; at <= good.length; at++) {
      expect(normalised(`${good.slice(0, at)}\0${good.slice(at)}`)).toBe('nul');
      const before = good[at - 1] === '\r';
      expect(normalised(`${good.slice(0, at)}\r${good.slice(at)}`)).toBe('bare-cr');
      if (before) expect(normalised(`${good.slice(0, at)}x${good.slice(at)}`)).toBe('bare-cr');
    }
    expect(normalised('A: b\r\r\n')).toBe('bare-cr');
    expect(normalised('A: b\r')).toBe('bare-cr');
    expect(normalised('')).toBe('missing');
  });

  it('gives a message that needs no change back as it is', () => {
    const raw = bytes('A: b\r\n\r\nc\r\n');
    const read = normaliseMessage(raw);
    expect(read.ok && read.value === raw).toBe(true);
  });
});

describe('splitMessage', () => {
  it.each([
    ['A: b\r\n\r\nc\r\n', 'A: b\r\n', 'c\r\n', true],
    ['A: b\r\n', 'A: b\r\n', '', false],
    ['\r\nbody\r\n', '', 'body\r\n', true],
    ['hello world\r\n\r\nmore\r\n', '', 'hello world\r\n\r\nmore\r\n', false],
    ['From jane Mon May  2\r\nA: b\r\n\r\nc\r\n', 'From jane Mon May  2\r\nA: b\r\n', 'c\r\n', true],
    ['A : b\r\n c\r\n\r\n\r\nd\r\n', 'A : b\r\n c\r\n', '\r\nd\r\n', true],
    [' folded: first\r\n\r\n', '', ' folded: first\r\n\r\n', false],
  ])('splits %j', (raw, header, body, separated) => {
    const split = splitMessage(bytes(raw));
    expect([split.header.toString('latin1'), split.body.toString('latin1'), split.separated]).toEqual([
      header,
      body,
      separated,
    ]);
  });

  it('finds the fields where they stand', () => {
    const header = bytes('Subject: a\r\n\tb\r\njunk\r\nTO  : x\r\nEmpty:\r\n');
    const fields = headerFields(header);
    expect(fields.map((field) => field.name)).toEqual(['subject', '', 'to', 'empty']);
    expect(fields.filter((field) => field.name).map((field) => rawValue(header, field))).toEqual(['a\tb', 'x', '']);
    expect(fields.at(-1)?.end).toBe(header.length);
  });
});

describe('header editing', () => {
  const raw = bytes(
    'Bcc: a@b.example,\r\n c@d.example\r\nSubject: \xe9\r\nX-Mailgun-Tag: t\r\nbcc : e\r\n\r\nBcc: body\r\n',
  );

  it('removes fields with their folded lines and nothing else', () => {
    expect(removeHeaders(raw, ['Bcc', 'X-Mailgun-*']).toString('latin1')).toBe('Subject: \xe9\r\n\r\nBcc: body\r\n');
    expect(removeHeaders(raw, ['x-other'])).toBe(raw);
    expect(removeHeaders(bytes('Bcc: a\r\n\r\nb\r\n'), ['bcc']).toString()).toBe('\r\nb\r\n');
  });

  it('puts lines before, with an empty line where there was no header', () => {
    const line = 'X-New: 1\r\n';
    expect(prependHeaders(raw, [line]).toString('latin1')).toBe(line + raw.toString('latin1'));
    expect(prependHeaders(bytes('\r\nb\r\n'), [line]).toString()).toBe(`${line}\r\nb\r\n`);
    expect(prependHeaders(bytes('hello there\r\n'), [line]).toString()).toBe(`${line}\r\nhello there\r\n`);
    for (const bad of ['X-New: 1', 'no field\r\n', 'X: 1\r\n\r\n', '']) {
      expect(() => prependHeaders(raw, [bad, ''])).toThrow(TypeError);
    }
  });

  it('writes a line that cannot break out of itself', () => {
    expect(headerLine('Subject', 'Grüße')).toBe('Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n');
    const long = headerLine('X-Long', 'word '.repeat(100).trim());
    expect(long.split('\r\n').every((line) => line.length <= 78)).toBe(true);
    for (const [name, value] of [
      ['X', 'a\r\nB: c'],
      ['X', 'a\0'],
      ['X\r\nB', 'a'],
      ['X:', 'a'],
      ['', 'a'],
      ['X Y', 'a'],
    ]) {
      expect(() => headerLine(name ?? '', value ?? '')).toThrow(TypeError);
    }
  });

  it('adds only what a message lacks', () => {
    const defaults = { from: 'jane@b.example', date: new Date(0), messageId: '<1@b.example>' };
    expect(missingHeaders(bytes('Subject: a\r\n\r\n'), defaults)).toEqual([
      'From: jane@b.example\r\n',
      'Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n',
      'Message-ID: <1@b.example>\r\n',
    ]);
    expect(missingHeaders(bytes('FROM : x\r\nDate:\r\nmessage-id: <y>\r\n\r\n'), defaults)).toEqual([]);
    expect(mailDate(new Date(Date.UTC(2026, 10, 25, 12)))).toBe('Wed, 25 Nov 2026 12:00:00 +0000');
  });
});
