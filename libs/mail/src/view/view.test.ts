import { describe, expect, it } from 'vitest';
import { parseAddressList } from '../address/address-list.ts';
import type { Mailbox } from '../address/address.ts';
import { composeMessage } from '../compose/compose.ts';
import { scanMime } from '../mime/scan.ts';
import { stripText } from './strip.ts';
import { viewMail } from './view.ts';

function mailbox(text: string): Mailbox {
  const read = parseAddressList(text, 'test');
  if (!read.ok) throw new Error(read.refusal.reason);
  return read.value[0];
}

const lines = (...all: string[]) => Buffer.from(`${all.join('\r\n')}\r\n`);

describe('viewMail', () => {
  it('shows what was composed', async () => {
    const picture = Buffer.from([0, 1, 2, 253, 254, 255]);
    const composed = await composeMessage({
      from: mailbox('Aña <ana@a.example>'),
      to: [mailbox('ben@b.example')],
      subject: 'Grüße',
      text: 'Hällo = you\nsecond line',
      html: '<p>Hällo</p>',
      attachments: [{ filename: 'zahlen €.bin', contentType: 'application/x-a', content: picture }],
      inline: [{ filename: 'logo.png', contentType: 'image/png', content: picture }],
      headers: [['X-Kind', 'näh']],
      messageId: '<1@a.example>',
      date: new Date(0),
    });
    if (!composed.ok) throw new Error(composed.refusal.message);
    const view = viewMail(composed.value.raw);
    expect(view.plain.trim()).toBe('Hällo = you\r\nsecond line');
    expect(view.html.trim()).toBe('<p>Hällo</p>');
    expect(view.attachments.map(({ filename, contentType }) => [filename, contentType])).toEqual(
      expect.arrayContaining([
        ['zahlen €.bin', 'application/x-a'],
        ['logo.png', 'image/png'],
      ]),
    );
    expect(view.attachments.map((one) => one.content())).toEqual([picture, picture]);
    expect(view.from).toMatchObject([{ name: 'Aña', address: 'ana@a.example' }]);
    expect(view.headers).toContainEqual(['Subject', 'Grüße']);
    expect(view.headers).toContainEqual(['X-Kind', 'näh']);
    const scan = scanMime(composed.value.raw);
    if (!scan.ok) throw new Error(scan.refusal.message);
    expect(view.attachments.map((one) => one.filename)).toEqual(scan.value.attachments.map((one) => one.filename));
  });

  it('gives an attached message whole, and nothing of it as text or attachment of this one', () => {
    const inner = ['Subject: inner', 'Content-Type: multipart/mixed; boundary=x', '', '--x', '', 'inner text', '--x--'];
    const view = viewMail(
      lines(
        'Content-Type: multipart/mixed; boundary=o',
        '',
        '--o',
        'Content-Type: text/plain; charset=iso-8859-1',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'outer =FC',
        '--o',
        'Content-Type: message/rfc822',
        '',
        ...inner,
        '--o',
        'Content-Disposition: attachment; filename=after.txt',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'a=3Db',
        '--o--',
      ),
    );
    expect(view.plain).toBe('outer ü');
    expect(view.attachments.map((one) => one.content().toString())).toEqual([inner.join('\r\n'), 'a=b']);
  });

  it('takes a message that is only text, in whatever bytes', () => {
    expect(viewMail(Buffer.from('X-A: b\r\n\r\n\xfc', 'latin1')).plain).toBe('ü');
    expect(viewMail(lines('just text'))).toMatchObject({
      headers: [],
      from: [],
      plain: 'just text\r\n',
      html: '',
      attachments: [],
    });
  });

  it('reads hostile headers in bounded time', () => {
    const started = process.cpuUsage();
    viewMail(Buffer.from(`Subject: ${'=?a?q?'.repeat(40_000)}\r\n\r\n`));
    viewMail(Buffer.from(`${`X: ${'=?utf-8?q?x?= '.repeat(1_000)}\r\n`.repeat(18)}\r\n`));
    viewMail(
      Buffer.from(
        `Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'= '.repeat(1_000_000)}`,
      ),
    );
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(4_000);
  });
});

describe('stripText', () => {
  it.each([
    ['plain', 'a\r\nb\r\n', 'a\r\nb', ''],
    ['a signature', 'a\r\n-- \r\nAna\r\nCEO\r\n', 'a', 'Ana\r\nCEO'],
    ['a quoted end', 'yes\n\nOn Monday, Ben wrote:\n> really?\n>> sure?\n', 'yes', ''],
    ['a signature above the quote', 'yes\n-- \nAna\n\nBen wrote:\n> really?\n', 'yes', 'Ana'],
    ['a signature under the quote', 'yes\n> really?\n-- \nAna\n', 'yes', 'Ana'],
    ['answers between quotes', '> one?\nyes\n> two?\nno\n', '> one?\r\nyes\r\n> two?\r\nno', ''],
    ['a rule that is no signature', 'a\n--\nb', 'a\r\n--\r\nb', ''],
  ])('%s', (_, plain, text, signature) => {
    expect(stripText(plain)).toEqual({ text, signature });
  });

  it('leaves long data alone, in no time', () => {
    const data = '>\n'.repeat(200_000);
    expect(stripText(data).text).toBe(data);
  });
});
