import { describe, expect, it } from 'vitest';
import { attachmentView, parsedView } from './stored.view.ts';

const lines = (...all: string[]) => Buffer.from(`${all.join('\r\n')}\r\n`);
const shown = { envelopes: { recipients: [], tags: [] }, url: 'http://x/m' };

describe('an attachment that claims what it is not', () => {
  const raw = lines(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/html\x00x; name="a\'(b)*\u{202e}.html"',
    '',
    '<script>',
    '--b',
    'Content-Type: application/octet-stream',
    '',
    'x',
    '--b--',
  );

  it('goes as octets, under a name that stays within its header', () => {
    const headers = attachmentView(raw, 0)?.headers;
    expect(headers?.['content-type']).toBe('application/octet-stream');
    expect(headers?.['content-disposition']).toBe("attachment; filename*=UTF-8''a%27%28b%29%2A%E2%80%AE.html");
  });

  it('has a name to be saved under, and none has one behind the last', () => {
    expect(attachmentView(raw, 1)?.headers['content-disposition']).toBe("attachment; filename*=UTF-8''attachment");
    expect(attachmentView(raw, 2)).toBeUndefined();
    expect(parsedView(raw, shown).attachments?.[1]?.name).toBe('attachment-1');
  });
});

it('says nothing of recipients and tags nobody knows any more', () => {
  const view = parsedView(lines('Subject: x', '', 'text'), shown);
  expect(view['recipients']).toBe('');
  expect(view).not.toHaveProperty('X-Mailgun-Tag');
});

it('cannot be made to write members of its own', () => {
  const view = parsedView(lines('body-html: mine', '__proto__: x', 'Content-Id: <a>', '', 'text'), shown);
  expect(view['body-html']).toBe('');
  expect(view['message-headers']).toEqual([
    ['body-html', 'mine'],
    ['__proto__', 'x'],
    ['Content-Id', '<a>'],
  ]);
});
