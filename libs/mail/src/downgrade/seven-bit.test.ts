import { isAscii } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { normaliseMessage } from '../message/normalise.ts';
import { scanMime } from '../mime/scan.ts';
import { viewMail } from '../view/view.ts';
import { sevenBit } from './seven-bit.ts';

const mime = (text: string, encoding: BufferEncoding = 'utf8'): Buffer => {
  const normal = normaliseMessage(Buffer.from(text, encoding));
  if (!normal.ok) throw new Error(normal.refusal.reason);
  return normal.value;
};
function converted(text: string, encoding?: BufferEncoding): Buffer {
  const result = sevenBit(mime(text, encoding));
  if (result === undefined) throw new Error('not converted');
  expect(isAscii(result)).toBe(true);
  return result;
}

const TEXT = 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n';

describe('a message for a server that takes seven bits', () => {
  it('stays byte for byte where it has no more', () => {
    const raw = mime('Subject: plain\n\nNothing to do.\n');
    expect(sevenBit(raw)).toBe(raw);
  });

  it('reads the same: text', () => {
    const copy = converted(`Subject: s\nMIME-Version: 1.0\n${TEXT}\nGrüße aus Köln,\nmit = Zeichen.  \n`);
    expect(viewMail(copy).plain).toBe('Grüße aus Köln,\r\nmit = Zeichen.  \r\n');
    expect(copy.toString()).toContain('Content-Transfer-Encoding: quoted-printable');
    expect(copy.toString()).not.toContain('8bit');
    expect(copy.subarray(-2).toString()).toBe('\r\n');
  });

  it('reads the same: another script, another charset, no end of line', () => {
    const greek = converted(`Subject: s\nMIME-Version: 1.0\n${TEXT}\nκαλημέρα κόσμε`);
    expect(greek.toString()).toContain('Content-Transfer-Encoding: base64');
    expect(viewMail(greek).plain.trimEnd()).toBe('καλημέρα κόσμε');
    const latin = converted(
      'MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nSubject: s\n\nGr\xfc\xdfe\n',
      'latin1',
    );
    expect(viewMail(latin).plain).toBe('Grüße\r\n');
  });

  it('says what it is where nobody has said it', () => {
    const plain = converted('Subject: s\n\nGrüße\n').toString();
    expect(plain).toContain('MIME-Version: 1.0\r\n');
    expect(plain).toContain('Content-Type: text/plain; charset=utf-8\r\n');
    expect(converted('Subject: s\n\nGr\xfc\xdfe\n', 'latin1').toString()).toContain('charset=unknown-8bit');
  });

  it('changes those parts alone that need it, and what holds them', () => {
    const inner = `--i\n${TEXT}\nGrüße\n--i\nContent-Type: text/html; charset=utf-8\n\n<p>plain</p>\n--i--\n`;
    const outer = [
      'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\nContent-Transfer-Encoding: 8bit\n',
      `--o\nContent-Type: multipart/alternative; boundary=i\nContent-Transfer-Encoding: binary\n\n${inner}`,
      '--o\nContent-Type: application/octet-stream; name="Größe.bin"\nContent-Transfer-Encoding: binary\n\nü\n',
      '--o--\n',
    ].join('\n');
    const copy = converted(outer);
    const view = viewMail(copy);
    expect([view.plain, view.html]).toEqual(['Grüße', '<p>plain</p>']);
    expect(view.attachments.map(({ filename }) => filename)).toEqual(['Größe.bin']);
    expect(view.attachments[0]?.content().toString().trimEnd()).toBe('ü');
    expect(copy.toString().match(/8bit|binary/g)).toBeNull();
    expect(copy.toString().match(/Content-Transfer-Encoding: 7bit/g)).toHaveLength(2);
    expect(scanMime(copy)).toMatchObject({ ok: true, value: { parts: 5 } });
  });

  it('goes into attached messages, which take no encoding themselves', () => {
    const attached = `Subject: Größe\nMIME-Version: 1.0\n${TEXT}\nGrüße\n`;
    const copy = converted(
      `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n${attached}\n--o--\n`,
    );
    expect(copy.toString()).toMatch(/message\/rfc822\r\nContent-Transfer-Encoding: 7bit/);
    const [message] = viewMail(copy).attachments;
    const opened = viewMail(message?.content() ?? Buffer.alloc(0));
    expect(opened.plain.trimEnd()).toBe('Grüße');
    expect(opened.headers).toContainEqual(['Subject', 'Größe']);
  });

  it('has no line longer than a server takes because of octets that stand in quoted-printable unencoded', () => {
    const [long, soft] = ['ü'.repeat(450), 'soft=\n break=3D'];
    const header = 'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: ';
    const copy = converted(`${header}quoted-printable\n\n${soft}\n${long}\n`);
    expect(
      Math.max(
        ...copy
          .toString()
          .split('\r\n')
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(998);
    expect(viewMail(copy).plain).toBe(`soft break=\r\n${long}\r\n`);
    expect(copy.toString()).toContain('soft=\r\n break=3D\r\n');
  });

  it('says in an attached message, too, that it is MIME where it has to be', () => {
    const attached = (text: string): string =>
      `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n${text}\n--o\n${TEXT}\nGrüße\n--o--\n`;
    expect(converted(attached('Subject: s\n\nGrüße')).toString()).toContain('Subject: s\r\nMIME-Version: 1.0\r\n');
    expect(converted(attached('Subject: s\n\nplain')).toString()).toContain('rfc822\r\n\r\nSubject: s\r\n\r\nplain');
  });

  it('touches nothing that is signed, also not what only says that it has eight bits', () => {
    const signed = [
      'MIME-Version: 1.0\nContent-Type: multipart/signed; protocol="application/pgp-signature"; boundary=o\n',
      '--o\nContent-Type: multipart/mixed; boundary=i\nContent-Transfer-Encoding: 8BIT\n\n--i\n\nplain\n--i--\n',
      '--o\nContent-Type: application/pgp-signature\n\nsig\n--o--\n',
    ].join('\n');
    expect(converted(`Subject: Grüße\n${signed}`).toString().split('\r\n').slice(1).join('\n')).toBe(signed);
    expect(sevenBit(mime(signed.replace('plain', 'Grüße')))).toBeUndefined();
  });

  it('has names and texts of its header in encoded words, and file names in parameters', () => {
    const copy = converted(
      [
        'From: Jürgen "der" Größe <j@a.example>, "Müller, Ann" <ann@köln.example>',
        'Subject: Grüße: 100 % =?',
        'X-Note: ça va',
        'Content-Disposition: inline; filename=Größe.txt',
        '',
        'text',
      ].join('\n'),
    );
    const view = viewMail(copy);
    expect(view.from.map(({ name, address }) => [name, address])).toEqual([
      ['Jürgen der Größe', 'j@a.example'],
      ['Müller, Ann', 'ann@xn--kln-sna.example'],
    ]);
    expect(view.headers).toContainEqual(['Subject', 'Grüße: 100 % =?']);
    expect(view.headers).toContainEqual(['X-Note', 'ça va']);
    expect(copy.toString()).toContain("filename*0*=utf-8''Gr%C3%B6%C3%9Fe.txt");
  });

  it.each([
    ['an address that is not ASCII', 'From: jürgen@a.example\n\nx\n'],
    ['mailboxes that nobody can read', 'To: Jürgen <j@a.example\n\nx\n'],
    ['a line that is no field', 'Subject: s\nmüll\n\nx\n'],
    ['a reference', 'References: <ü@a.example>\n\nx\n'],
    ['a name that HTML refers to', 'Content-ID: <ü@a.example>\n\nx\n'],
    ['an address of a list', 'List-Help: <mailto:ü@a.example>\n\nx\n'],
    ['a multipart without a boundary', 'MIME-Version: 1.0\nContent-Type: multipart/mixed\n\nü\n'],
    ['a report that takes no encoding', 'MIME-Version: 1.0\nContent-Type: message/delivery-status\n\nü\n'],
    ['an encoding that nobody knows', 'Content-Transfer-Encoding: x-uuencode\n\nbegin 644 ü\n#86)C\nend\n'],
    ['one with a comment', 'Content-Transfer-Encoding: base64 (as ever)\n\nR3LDvMOfZQ==\nü\n'],
    [
      'a digest whose messages do not say what they are',
      'MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=o\n\n--o\n\nSubject: s\n\nGrüße\n--o--\n',
    ],
    ['a header without an end', 'Subject: Größe'],
  ])('is none where something would be lost: %s', (_, text) => expect(sevenBit(mime(text))).toBeUndefined());
});
