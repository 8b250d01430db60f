import { randomUUID } from 'node:crypto';
import libmime from 'libmime';
import { encode, wrap } from 'nodemailer/lib/qp';
import { normaliseMessage } from '../message/normalise.ts';
import { accept, type Result } from '../refusal.ts';
import type { FormFile } from './form.ts';

/** A MIME part ready to be written: its header lines, each with CRLF, and its encoded content. */
export interface Part {
  header: string;
  content: Buffer;
}

const BASE64_LINE = 76; // RFC 2045 6.8
const OCTETS_A_LINE = (BASE64_LINE / 4) * 3;
const OCTETS_A_BLOCK = 1_024 * OCTETS_A_LINE;
const CRLF = '\r\n';
/** Octets in a line, at most, without its end (RFC 5322 §2.1.1). */
export const MAX_LINE = 998;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/**
 * Plain where the text allows it, so that it stays readable; quoted-printable for a few other bytes, else base64. `hidden`: base64 in
 * any case, which no text can pass for a delimiter in (RFC 2046 5.1.1).
 */
export function textPart(subtype: string, text: string, hidden = false): Part {
  const content = Buffer.from(text.toWellFormed().replace(/\r\n?|\n/g, '\r\n'), 'utf8');
  const type = `Content-Type: text/${subtype}; charset=utf-8\r\n`;
  if (!hidden && isPlain(content)) return { header: `${type}Content-Transfer-Encoding: 7bit\r\n`, content };
  const others = content.length - content.toString('utf8').length;
  if (hidden || others * 3 > content.length)
    return { header: `${type}Content-Transfer-Encoding: base64\r\n`, content: base64(content) };
  const quoted = wrap(encode(content), 76);
  return { header: `${type}Content-Transfer-Encoding: quoted-printable\r\n`, content: Buffer.from(quoted, 'latin1') };
}

/**
 * A file as attachment, or as inline content that the HTML finds by `cid:<filename>` (RFC 2392). It arrives byte for byte;
 * only an attached message stands in the clear, as RFC 2046 5.2.1 wants it, under the rule for raw messages.
 */
export function filePart(file: FormFile, disposition: 'attachment' | 'inline'): Result<Part> {
  const filename = file.filename.toWellFormed();
  const given = libmime.parseHeaderValue(file.contentType ?? '');
  const value = mediaType(given.value.toLowerCase(), filename);
  const lines = [
    structured('Content-Type', { value, params: { ...given.params, ...(filename !== '' && { name: filename }) } }),
    structured('Content-Disposition', { value: disposition, params: filename === '' ? {} : { filename } }),
  ];
  const id = file.contentId ?? filename;
  if (disposition === 'inline' && id !== '') lines.push(`Content-ID: <${contentId(id)}>\r\n`);
  if (value !== 'message/rfc822') {
    lines.push('Content-Transfer-Encoding: base64\r\n');
    return accept({ header: lines.join(''), content: base64(file.content) });
  }
  const message = normaliseMessage(file.content, disposition);
  if (!message.ok) return message;
  lines.push(`Content-Transfer-Encoding: ${isPlain(message.value) ? '7bit' : '8bit'}\r\n`);
  return accept({ header: lines.join(''), content: message.value });
}

/** RFC 2046 5.1. The boundary is random, so that no content can hold it. */
export function multipart(subtype: 'mixed' | 'related' | 'alternative', parts: readonly Part[]): Part {
  const boundary = `=_${randomUUID()}`;
  const pieces = parts.flatMap((part) => [
    Buffer.from(`\r\n--${boundary}\r\n${part.header}\r\n`, 'utf8'),
    part.content,
  ]);
  const content = Buffer.concat([...pieces, Buffer.from(`\r\n--${boundary}--\r\n`)]).subarray(2);
  return { header: `Content-Type: multipart/${subtype}; boundary="${boundary}"\r\n`, content };
}

/** A type that would change how the message is read cannot be carried in base64; such a file is only bytes. */
function mediaType(given: string, filename: string): string {
  const extension = filename.slice(filename.lastIndexOf('.') + 1);
  const type = MEDIA_TYPE.test(given) ? given : libmime.detectMimeType(extension);
  return type === 'message/rfc822' || !/^(?:multipart|message)\//.test(type) ? type : 'application/octet-stream';
}

export function structured(name: string, value: { value: string; params: Record<string, string> }): string {
  return `${libmime.foldLines(`${name}: ${libmime.buildHeaderValue(value)}`, 76)}\r\n`;
}

/** As a `cid:` URL in HTML names it: outside of US-ASCII, and where brackets and blanks would end it, percent-encoded. */
function contentId(filename: string): string {
  return filename.replace(/[^!-;=?-~]/gu, (character) => encodeURIComponent(character));
}

function isPlain(content: Buffer): boolean {
  if (/[^ -~\t\r\n]/.test(content.toString('latin1'))) return false;
  let start = 0;
  for (let end = content.indexOf('\n'); end >= 0; end = content.indexOf('\n', start)) {
    if (end - start > MAX_LINE) return false;
    start = end + 1;
  }
  return content.length - start <= MAX_LINE;
}

/** In blocks of lines: a large file is never there a second time as text. */
export function base64(content: Buffer): Buffer {
  const lines = Math.ceil(content.length / OCTETS_A_LINE);
  const out = Buffer.allocUnsafe(4 * Math.ceil(content.length / 3) + 2 * Math.max(lines - 1, 0));
  let at = 0;
  for (let start = 0; start < content.length; start += OCTETS_A_BLOCK) {
    const text = content.toString('base64', start, start + OCTETS_A_BLOCK);
    for (let from = 0; from < text.length; from += BASE64_LINE) {
      if (at > 0) at += out.write(CRLF, at, 'latin1');
      at += out.write(text.slice(from, from + BASE64_LINE), at, 'latin1');
    }
  }
  return out;
}
