import libmime from 'libmime';
import { describe, expect, it } from 'vitest';
import { parseAddressList } from '../address/address-list.ts';
import type { Mailbox } from '../address/address.ts';
import { headerFields, rawValue, splitMessage } from '../message/header.ts';
import { normaliseMessage } from '../message/normalise.ts';
import { scanMime } from '../mime/scan.ts';
import { composeMessage } from './compose.ts';
import type { MessageForm } from './form.ts';

function mailboxes(text: string): [Mailbox, ...Mailbox[]] {
  const read = parseAddressList(text, 'test');
  if (!read.ok) throw new Error(read.refusal.reason);
  return read.value as [Mailbox, ...Mailbox[]]; // an empty list is refused
}

const form = (more: Partial<MessageForm> = {}): MessageForm => ({
  from: mailboxes('Jané Doe <jane@a.example>')[0],
  to: mailboxes('"Doe, John" <john@b.example>, x@bücher.example'),
  subject: 'Grüße',
  text: 'hello\nworld\n',
  date: new Date(Date.UTC(2026, 10, 25, 12)),
  messageId: '<1@a.example>',
  ...more,
});

async function composed(more: Partial<MessageForm> = {}) {
  const message = await composeMessage(form(more));
  if (!message.ok) throw new Error(`${message.refusal.field}: ${message.refusal.reason}`);
  const { header, body } = splitMessage(message.value.raw);
  const fields = headerFields(header);
  const value = (name: string) => fields.filter((field) => field.name === name).map((field) => rawValue(header, field));
  return { ...message.value, names: fields.map((field) => field.name), value, body: body.toString() };
}

/** The text of a message of one part, decoded by the library's own reading of its encoding. */
function decodedText(raw: Buffer): string {
  const { header, body } = splitMessage(raw);
  const text = body.toString('latin1');
  const encoding = /^content-transfer-encoding: (\S+)/im.exec(header.toString('latin1'))?.[1];
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString();
  if (encoding !== 'quoted-printable') return text === '\r\n' ? '' : text;
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

async function refused(more: Partial<MessageForm>) {
  const message = await composeMessage(form(more));
  return message.ok ? 'taken' : `${message.refusal.field}: ${message.refusal.reason}`;
}

describe('composeMessage', () => {
  it('writes the form, with the date and id it was given', async () => {
    const message = await composed({ cc: mailboxes('c@d.example') });
    expect(message.value('from')).toEqual(['=?UTF-8?Q?Jan=C3=A9_Doe?= <jane@a.example>']);
    expect(message.value('to')).toEqual(['"Doe, John" <john@b.example>, x@xn--bcher-kva.example']);
    expect(message.value('cc')).toEqual(['c@d.example']);
    expect(message.value('date')).toEqual(['Wed, 25 Nov 2026 12:00:00 +0000']);
    expect(message.value('message-id')).toEqual(['<1@a.example>']);
    expect(message.value('mime-version')).toEqual(['1.0']);
    expect(message.names).not.toContain('bcc');
    expect(message.body).toBe('hello\r\nworld\r\n');
    const again = normaliseMessage(message.raw);
    expect(again.ok && again.value).toBe(message.raw);
    const scan = scanMime(message.raw);
    expect(scan.ok && scan.value.subject).toBe('Grüße');
  });

  it('carries text, HTML, pictures and attachments unchanged', async () => {
    const content = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const message = await composed({
      html: '<img src="cid:pic.png">',
      attachments: [{ filename: 'rätsel.bin', content }],
      inline: [{ filename: 'pic.png', contentType: 'image/png', content }],
    });
    const scan = scanMime(message.raw);
    expect(scan.ok && scan.value.attachments).toEqual([
      { filename: 'pic.png', contentType: 'image/png', size: 256, inline: true, contentId: 'pic.png' },
      { filename: 'rätsel.bin', contentType: 'application/octet-stream', size: 256, inline: false, contentId: '' },
    ]);
    expect(message.body.split(content.toString('base64').slice(0, 76))).toHaveLength(3);
    expect(message.body).toContain('hello');
    expect(message.body).toContain('<img src=');
  });

  it('puts AMP between the text and the HTML', async () => {
    const message = await composed({ amp: '<html amp4email>grün</html>', html: '<p>green</p>' });
    expect(message.body.match(/^Content-Type: text\/.*$/gm)).toEqual([
      'Content-Type: text/plain; charset=utf-8',
      'Content-Type: text/x-amp-html; charset=utf-8',
      'Content-Type: text/html; charset=utf-8',
    ]);
    expect((await composed({ amp: '<html>', text: undefined })).body).toContain('text/plain');
  });

  it('never reads a file or a URL, whatever a text looks like', async () => {
    const message = await composed({
      text: 'file:///etc/hostname',
      html: 'data:text/plain,x',
      subject: '/etc/hostname',
    });
    expect(message.body).toContain('file:///etc/hostname');
    expect(message.body).toContain('data:text/plain,x');
  });

  it('writes CRLF only, and attachments byte for byte', async () => {
    const text = Buffer.from('a\nb\rc\0\r\n');
    const message = await composed({
      text: 'a\nb\rc\r\nd\n.\n',
      html: 'a\0b\r',
      attachments: [{ filename: 'a.txt', contentType: 'text/plain', content: text }],
    });
    expect(message.raw.toString('latin1')).not.toMatch(/\r(?!\n)|(?<!\r)\n|\0/);
    expect(message.body).toContain('a\r\nb\r\nc\r\nd\r\n.\r\n');
    expect(message.body).toContain(text.toString('base64'));
    const eml = (content: string) => [
      { filename: 'a.eml', contentType: 'message/rfc822', content: Buffer.from(content) },
    ];
    expect((await composed({ attachments: eml('Subject: x\n\nin the clear\n') })).body).toContain(
      'x\r\n\r\nin the clear\r\n',
    );
    expect(await refused({ attachments: eml('Subject: x\rBcc: y\n\n') })).toBe('attachment: bare-cr');
  });

  it('takes headers of its own, and a Reply-To and Message-Id that are valid', async () => {
    const message = await composed({
      headers: [
        ['X-One', 'a'],
        ['X-One', 'bü'],
        ['reply-to', 'Jörg <r@a.example>'],
        ['Message-Id', '<own.id@a.example>'],
        ['List-Unsubscribe', '<https://a.example/u>'],
      ],
    });
    expect(message.value('x-one')).toEqual(['a', '=?UTF-8?Q?b=C3=BC?=']);
    expect(message.value('reply-to')).toEqual(['=?UTF-8?Q?J=C3=B6rg?= <r@a.example>']);
    expect(message.value('message-id')).toEqual(['<own.id@a.example>']);
    expect(message.messageId).toBe('<own.id@a.example>');
    expect(message.value('list-unsubscribe')).toEqual(['<https://a.example/u>']);
  });

  it.each([
    'Bcc',
    'FROM',
    'To',
    'Subject',
    'DKIM-Signature',
    'Received',
    'Return-Path',
    'Content-Type',
    'Mime-Version',
    'Date',
    'X-Mailgun-Tag',
    'ARC-Seal',
  ])('refuses h:%s, which is not the sender’s to set', async (name) =>
    expect(await refused({ headers: [[name, 'x@y.example']] })).toBe(`h:${name}: reserved`),
  );

  it('refuses a line break or NUL wherever it could end in a header, naming the field', async () => {
    for (const bad of ['\r', '\n', '\0', 'a\r\nBcc: x@y.example', '\u0085']) {
      expect(await refused({ subject: bad })).toBe('subject: control-character');
      expect(await refused({ headers: [['X-A', bad]] })).toBe('h:X-A: control-character');
      expect(await refused({ headers: [[`X-A${bad}`, 'a']] })).toBe('h:: malformed');
      expect(await refused({ attachments: [{ filename: bad, content: Buffer.of() }] })).toBe(
        'attachment: control-character',
      );
      const file = { filename: 'a', contentType: bad, content: Buffer.of() };
      expect(await refused({ inline: [file] })).toBe('inline: control-character');
    }
    expect(await refused({ headers: [['reply-to', 'nobody']] })).toBe('h:reply-to: malformed');
    expect(await refused({ headers: [['Message-ID', 'x']] })).toBe('h:Message-ID: malformed');
    expect(await refused({ headers: [['X-A', 'x'.repeat(20_000)]] })).toBe('h:X-A: too-long');
  });

  it('carries every name, subject and text as it was', async () => {
    for (const text of [
      '',
      ' ',
      'a'.repeat(3000),
      `${'wort '.repeat(300)}ü`,
      '漢字'.repeat(200),
      '=?utf-8?q?x?=',
      'a\0b',
      '.\n..\n',
      'tail \n',
      '=41',
    ]) {
      const header = text.replace(/[\n\0]/g, '');
      const from = { ...mailboxes('jane@a.example')[0], name: header };
      const message = await composed({ subject: header, from, text, headers: [['X-A', header]] });
      const scan = scanMime(message.raw);
      const name = header.trim();
      expect(scan.ok && scan.value.from[0]?.name).toBe(name.length > 900 || name.startsWith('漢') ? '' : name);
      expect(message.raw.toString('latin1')).not.toMatch(/\r\n[ \t]*\r\n[^]*MIME-Version/);
      const parsed = libmime.decodeWords(message.value('subject')[0]);
      expect(parsed).toBe(name === '=?utf-8?q?x?=' ? 'x' : name);
      // The last line of a message has an end, whether its text had one or not.
      const sent = text.replaceAll('\n', '\r\n');
      expect([sent, `${sent}\r\n`]).toContain(decodedText(message.raw));
    }
  });

  it('keeps header lines short where there is a place to fold', async () => {
    const name = 'Ein sehr langer Name mit Ümläuten '.repeat(5);
    const to = [{ ...mailboxes('a@b.example')[0], name }, ...mailboxes('a@b.example,'.repeat(20))];
    const message = await composed({
      to,
      subject: 'lang '.repeat(100),
      headers: [
        ['X-A', 'ü '.repeat(200)],
        ['X-B', `a${' '.repeat(300)}b`],
      ],
    });
    const { header } = splitMessage(message.raw);
    expect(
      Math.max(
        ...header
          .toString('latin1')
          .split('\r\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
    const scan = scanMime(message.raw);
    expect(scan.ok && scan.value.to[0]?.name).toBe(name.trim());
    expect(message.value('x-b')).toEqual(['a b']);
  });

  it('gives a file no type that would change how the message is read', async () => {
    for (const contentType of ['multipart/mixed; boundary=x', 'message/partial', 'nonsense', 'text/plain\t; x="', '']) {
      const message = await composed({
        attachments: [{ filename: 'a"b\\c', contentType, content: Buffer.from('--x\r\n') }],
      });
      const scan = scanMime(message.raw);
      expect(scan.ok && scan.value.attachments).toMatchObject([{ filename: 'a"b\\c', size: 5 }]);
      expect(scan.ok && scan.value.parts).toBe(3);
    }
  });

  it('writes the To of a thousand recipients', async () => {
    const to = Array.from({ length: 1000 }, (_, n) => mailboxes(`Person ${n} <p${n}@b.example>`)[0]);
    const scan = scanMime((await composed({ to })).raw);
    expect(scan.ok && scan.value.to).toEqual(to);
  });
});
