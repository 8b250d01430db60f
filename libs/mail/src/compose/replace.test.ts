import { describe, expect, it } from 'vitest';
import { viewMail } from '../view/view.ts';
import { replaceTexts } from './replace.ts';

const replaced = (lines: string[], texts: { text?: string; html: string }): Buffer => {
  const result = replaceTexts(Buffer.from(lines.join('\r\n')), texts);
  if (!result.ok) throw new Error(result.refusal.message);
  return result.value;
};

describe('a message with other texts', () => {
  it('keeps its header byte for byte, but for what is said of the former body', () => {
    const header = ['From: a@x.example', 'X-Odd:  kept ', ' folded', 'Subject: =?utf-8?q?=C3=A4?='];
    const raw = replaced(
      [...header, 'MIME-Version: 1.0', 'Content-Type: text/plain', 'Content-Transfer-Encoding: base64', '', 'eA==', ''],
      { html: '<p>ä</p>' },
    );
    expect(raw.toString().startsWith(`${header.join('\r\n')}\r\nMIME-Version: 1.0\r\nContent-Type: text/html`)).toBe(
      true,
    );
    expect(viewMail(raw)).toMatchObject({ plain: '', html: '<p>ä</p>\r\n' });
    expect(raw.toString().match(/Content-Transfer-Encoding/g)).toHaveLength(1);
  });

  it('keeps what is attached, and shown by the HTML', () => {
    const part = (...lines: string[]): string[] => ['--b', ...lines];
    const raw = replaced(
      [
        'From: a@x.example',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        ...part('Content-Type: text/html', '', '<p>former</p>'),
        ...part(
          'Content-Type: image/png; name=p.png',
          'Content-ID: <it@x>',
          'Content-Transfer-Encoding: base64',
          '',
          'AAE=',
        ),
        ...part('Content-Type: text/plain; name=a.txt', 'Content-Disposition: attachment', '', 'attached'),
        '--b--',
        '',
      ],
      { text: 'new', html: '<img src="cid:it@x">' },
    );
    const { plain, html, attachments } = viewMail(raw);
    expect([plain.trim(), html.trim()]).toEqual(['new', '<img src="cid:it@x">']);
    expect(
      attachments.map(({ filename, contentId, content }) => [filename, contentId, content().toString('latin1')]),
    ).toEqual([
      ['p.png', 'it@x', '\0\x01'],
      ['a.txt', '', 'attached'],
    ]);
    expect(raw.toString()).not.toContain('former');
  });

  it('can be one that has nothing but a header, or not even that', () => {
    expect(viewMail(replaced(['From: a@x.example', '', ''], { html: 'x' })).html.trim()).toBe('x');
    expect(viewMail(replaced(['', 'text'], { html: 'x' })).html.trim()).toBe('x');
  });
});
