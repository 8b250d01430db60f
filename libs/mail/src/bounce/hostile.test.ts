import { expect, it } from 'vitest';
import { explainBounce } from './explain.ts';
import { MAX_MESSAGE } from './reading/readable.ts';

const HEAD = 'From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n';
const HTML = `${HEAD}Content-Type: text/html\r\n\r\n`;
const QP = `${HEAD}Content-Transfer-Encoding: quoted-printable\r\n\r\n`;
const REPORT = `${HEAD}Content-Type: multipart/report; boundary=b\r\n\r\n`;
const fill = (text: string) => text.repeat(Math.ceil((MAX_MESSAGE * 1.5) / text.length));
const nested = (n: number) => `Content-Type: multipart/mixed; boundary="b${n}"\r\n\r\n--b${n}\r\n`;

// Each of these makes a reader slow that looks at something twice: without bounds, most of them take minutes.
it.each([
  ['millions of lines', `${HEAD}\r\n${fill('\n')}`],
  ['lines of addresses', `${HEAD}\r\n${fill('<a@b.example>: 550 user unknown\r\n')}`],
  [
    'other addresses',
    `${HEAD}\r\n${Array.from({ length: 100_000 }, (_, n) => `<a${n}@b.example>: 550 no`).join('\n')}`,
  ],
  ['one line', `${HEAD}\r\n${fill('x')}`],
  ['blanks', `${HEAD}\r\n${fill(' ')}`],
  ['quotes', `${HEAD}\r\n${fill('> ')}`],
  ['at signs', `${HEAD}\r\n${fill('<a@')}`],
  ['a session', `${HEAD}\r\n${fill('>>> RCPT TO:<a@b.example>\r\n<<< 550 no\r\n')}`],
  ['halves of phrases', `${HEAD}\r\n<a@b.example>:\r\n${fill('mailbox quota user account ')}`],
  ['an mbox', fill('\r\nFrom a@b.example  Thu Jul  2 12:05:05 2026\r\n')],
  ['header fields', fill('X: y\r\n')],
  ['encoded words', `Subject: ${fill('=?utf-8?q?a?= ')}`],
  ['attached messages', fill('Content-Type: message/rfc822\r\n\r\n')],
  ['deep parts', Array.from({ length: 20_000 }, (_, n) => nested(n)).join('')],
  ['many parts', REPORT + fill('--b\r\n\r\nx\r\n')],
  [
    'groups of fields',
    `${HEAD}\r\n${fill('Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n')}`,
  ],
  ['a folded field', `${HEAD}\r\nAction: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp;\r\n${fill(' mailbox\r\n')}`],
  ['open tags', HTML + fill('<style')],
  ['open brackets', HTML + fill('<')],
  ['escapes', QP + fill('=')],
  ['soft line ends', QP + fill('= ')],
  ['notifications', `${HEAD}\r\n${fill('{"notificationType"')}`],
  ['brackets of JSON', `${HEAD}\r\n{"notificationType":${fill('[')}}`],
  ['NUL', fill('\0')],
  ['CR', HEAD + fill('\r')],
])(
  'is not held up by %s',
  (_, text) => {
    const raw = Buffer.from(text, 'latin1');
    const started = process.cpuUsage();
    expect(explainBounce(raw).length).toBeLessThanOrEqual(1000);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(4000);
  },
  120_000,
);
