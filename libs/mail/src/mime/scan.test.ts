import { describe, expect, it } from 'vitest';
import { DEFAULT_SCAN_LIMITS, scanMime } from './scan.ts';

const lines = (...all: string[]) => Buffer.from(`${all.join('\r\n')}\r\n`);
const reason = (raw: Buffer, limits = DEFAULT_SCAN_LIMITS) => {
  const scan = scanMime(raw, limits);
  return scan.ok ? 'taken' : scan.refusal.reason;
};

function scanned(raw: Buffer) {
  const scan = scanMime(raw);
  if (!scan.ok) throw new Error(scan.refusal.reason);
  return scan.value;
}

const nested = (depth: number) =>
  Buffer.from(
    Array.from({ length: depth }, (_, n) => `Content-Type: multipart/mixed; boundary="b${n}"\r\n\r\n--b${n}\r\n`).join(
      '',
    ) + '\r\ntext\r\n',
  );

describe('scanMime', () => {
  it('reads the header decoded', () => {
    const scan = scanned(
      lines(
        'From: =?utf-8?q?Jan=C3=A9?= <jane@a.example>',
        'To: "Doe, John" <john@b.example>, friends: x@c.example;',
        'Cc: ünï <y@bücher.example>',
        'Reply-To: r@a.example',
        'Subject: =?iso-8859-1?q?Gr=FC=DFe?=',
        ' =?utf-8?q?_folded=0D=0ABcc:_x?=',
        'Message-ID: <1@a.example>',
        'Date: Wed, 25 Nov 2026 12:00:00 +0000',
        '',
        'To: not@header.example',
      ),
    );
    expect(scan.from).toMatchObject([{ name: 'Jané', address: 'jane@a.example' }]);
    expect(scan.to.map((to) => to.address)).toEqual(['john@b.example', 'x@c.example']);
    expect(scan.cc).toMatchObject([{ name: 'ünï', address: 'y@xn--bcher-kva.example' }]);
    expect(scan.replyTo).toHaveLength(1);
    expect(scan.subject).toBe('Grüße folded Bcc: x');
    expect(scan).toMatchObject({ messageId: '<1@a.example>', parts: 1, depth: 0, attachments: [] });
  });

  it.each([
    ['From: Ann <ann@a.example>', ['ann@a.example']],
    ['From: "Ann (of <b@b.example>)" <ann@a.example>,\r\n\tben@a.example', ['ann@a.example', 'ben@a.example']],
    ['From: ann@a.example\r\nSender: s@a.example', ['ann@a.example', 's@a.example']],
    ['Subject: nobody', []],
    ['From: ann@a.example\r\nFrom: ann@a.example', undefined],
    ['From: ann@a.example\r\nSender: s@a.example\r\nSender: s@a.example', undefined],
    ['From: ann@a.example, <ceo@bank.example', undefined],
    ['From: ann@a.example, ceo at bank.example', undefined],
    ['From: <ann@a.example> <ceo@bank.example>', undefined],
    ['From: ann@a.example, "ceo <ceo@bank.example>', undefined],
    ['From: ann@a.example, Group: ceo@bank.example;', undefined],
    ['From:', undefined],
    ['From: ann@a.example\r\nSender: ceo', undefined],
  ])('knows who is named in %j, or that it cannot know', (header, authors) => {
    expect(scanned(lines(header, '', 'x')).authors?.map(({ address }) => address)).toEqual(authors);
  });

  it('finds attachments with their names, types and decoded sizes', () => {
    const content = Buffer.alloc(200, 7);
    const inner = [
      'Subject: inner',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Disposition: attachment; filename=hidden.txt',
      '',
      'not an attachment of the outer message',
      '--x--',
    ];
    const scan = scanned(
      lines(
        'Content-Type: multipart/mixed; boundary="outer (1)"',
        '',
        'preamble',
        '--outer (1)  ',
        'Content-Type: multipart/related; boundary=inner',
        '',
        '--inner',
        'Content-Type: text/html',
        '',
        '<img src="cid:pic">',
        '--inner',
        'Content-Type: image/png; name="=?utf-8?q?b=C3=BC?=.png"',
        'Content-ID: <pic>',
        'Content-Transfer-Encoding: base64',
        '',
        ...(content.toString('base64').match(/.{1,76}/g) ?? []),
        '--inner--',
        'epilogue',
        '--outer (1)',
        'Content-Disposition: attachment; filename*0*=UTF-8\'\'%e2%82%ac; filename*1=" rates.txt"',
        '',
        'abc',
        '--outer (1)',
        'Content-Type: Message/RFC822',
        '',
        ...inner,
        '--outer (1)--',
        'Content-Disposition: attachment; filename=after-the-end.txt',
      ),
    );
    expect(scan.attachments).toEqual([
      { filename: 'bü.png', contentType: 'image/png', size: 200, inline: true, contentId: 'pic' },
      { filename: '€ rates.txt', contentType: 'text/plain', size: 3, inline: false, contentId: '' },
      { filename: '', contentType: 'message/rfc822', size: inner.join('\r\n').length, inline: false, contentId: '' },
    ]);
    expect(scan).toMatchObject({ parts: 8, depth: 3 });
  });

  it.each([1, 2, 3, 57, 58, 1000, 1001, 1002])('reckons the size of %i octets in base64', (size) => {
    const encoded = (
      Buffer.alloc(size)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\r\n');
    for (const end of ['', '\r\n']) {
      const scan = scanned(
        Buffer.from(`Content-Type: a/b\r\nContent-Transfer-Encoding: BASE64\r\n\r\n${encoded}${end}`),
      );
      expect(scan.attachments[0]?.size).toBe(size);
    }
  });

  it('takes 100 levels and refuses more, in multiparts and in attached messages', () => {
    expect(scanned(nested(100)).depth).toBe(100);
    expect(reason(nested(101))).toBe('too-deep');
    expect(reason(nested(1000))).toBe('too-deep');
    expect(reason(Buffer.from('Content-Type: message/rfc822\r\n\r\n'.repeat(1000)))).toBe('too-deep');
  });

  it('refuses more than 1,000 parts', () => {
    const parts = (n: number) =>
      Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(n)}--b--\r\n`);
    expect(scanned(parts(999)).parts).toBe(1000);
    expect(reason(parts(1000))).toBe('too-many-parts');
    expect(reason(Buffer.from('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n'.repeat(5000)))).toBe(
      'too-many-parts',
    );
  });

  it('refuses a header block over its bound', () => {
    const header = (n: number) => Buffer.from(`${'X: y\r\n'.repeat(n)}\r\nbody\r\n`);
    expect(scanned(header(43_000)).headerBytes).toBe(258_000);
    expect(reason(header(44_000))).toBe('header-too-large');
    expect(reason(Buffer.from(`X: ${'y'.repeat(300_000)}\r\n`))).toBe('header-too-large');
  });

  it('reads each byte a bounded number of times, whatever the nesting', () => {
    const filler = Buffer.from(`${'-'.repeat(74)}\r\n`.repeat(100_000));
    const started = process.cpuUsage();
    scanMime(Buffer.concat([nested(100), filler]));
    scanMime(Buffer.concat([nested(100), Buffer.alloc(8_000_000, '-')]));
    scanMime(Buffer.concat([nested(100), Buffer.from('\r\n--b'.repeat(200_000))]));
    scanMime(Buffer.from(`Subject: ${'=?a?q?'.repeat(40_000)}\r\n\r\n`));
    scanMime(Buffer.from(`Content-Type: multipart/mixed; ${'(a*0="'.repeat(40_000)}\r\n\r\n`));
    scanMime(Buffer.from(`${'From: a@b.example\r\n'.repeat(13_000)}\r\n`));
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(4_000);
  });
});
