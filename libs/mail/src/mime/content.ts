import libmime from 'libmime';
import { rawValue, type HeaderField } from '../message/header.ts';
import { decodeText } from './text.ts';

/** What the MIME fields of one part say (RFC 2045 5 and 6, RFC 2183). */
export interface Content {
  /** Lower case, without parameters. */
  type: string;
  /** Of a multipart; '' for every other part, and for a multipart that names none. */
  boundary: string;
  /** Another message in the clear, whose parts count as well. */
  isMessage: boolean;
  disposition: string;
  inline: boolean;
  filename: string;
  contentId: string;
  encoding: string;
  /** Lower case; '' if the part names none. */
  charset: string;
}

const MAX_PARAMETER_BYTES = 16 * 1024;
const MAX_NAME_CHARACTERS = 1024;
const DEFAULT_TYPE = 'text/plain'; // RFC 2045 5.2

export function readContent(part: { header: Buffer; fields: HeaderField[] }): Content {
  const value = (name: string) => {
    const field = part.fields.find((one) => one.name === name);
    return field ? rawValue(part.header, field).slice(0, MAX_PARAMETER_BYTES) : '';
  };
  const typed = libmime.parseHeaderValue(value('content-type'), { stripComments: true });
  const disposed = libmime.parseHeaderValue(value('content-disposition'), { stripComments: true });
  const type = typed.value.trim().toLowerCase() || DEFAULT_TYPE;
  const disposition = disposed.value.trim().toLowerCase();
  const contentId = decodeText(value('content-id')).replace(/^<|>$/g, '').slice(0, MAX_NAME_CHARACTERS);
  const encoding = value('content-transfer-encoding').trim().toLowerCase();
  return {
    type,
    boundary: type.startsWith('multipart/') ? (typed.params['boundary'] ?? '').trimEnd() : '',
    // RFC 2046 5.2.1 allows an attached message no encoding that hides its lines.
    isMessage: /^message\/(?:rfc822|global)$/.test(type) && !/^(?:base64|quoted-printable)$/.test(encoding),
    disposition,
    inline: disposition === 'inline' || (contentId !== '' && disposition !== 'attachment'),
    filename: parameter(disposed, 'filename') || parameter(typed, 'name'),
    contentId,
    encoding,
    charset: (typed.params['charset'] ?? '').trim().toLowerCase(),
  };
}

export const isMultipart = ({ type }: Content): boolean => type.startsWith('multipart/');

/** Whatever is not the text of the message itself. */
export function isAttachment(content: Content): boolean {
  if (isMultipart(content)) return false;
  return content.disposition === 'attachment' || content.filename !== '' || !content.type.startsWith('text/');
}

export function decodedSize(body: Buffer, encoding: string): number {
  if (encoding !== 'base64') return body.length;
  const firstLine = body.indexOf('\r\n');
  const width = firstLine > 0 ? firstLine : body.length;
  const lines = Math.ceil(body.length / (width + 2));
  const characters = Math.max(body.length - 2 * (lines - (body.subarray(-2).equals(Buffer.from('\r\n')) ? 0 : 1)), 0);
  const tail = body.toString('latin1', Math.max(body.length - 8, 0)).trimEnd();
  const padding = tail.endsWith('==') ? 2 : tail.endsWith('=') ? 1 : 0;
  return Math.max(Math.floor((characters * 3) / 4) - padding, 0);
}

function parameter(value: ReturnType<typeof libmime.parseHeaderValue>, name: string): string {
  const text = value.params[name] ?? '';
  // RFC 2231 segments arrive decoded; anything else may hold encoded words, or UTF-8 bytes.
  const decoded = value.decodedParams?.includes(name) ? text : decodeText(text);
  return decoded.slice(0, MAX_NAME_CHARACTERS).toWellFormed();
}
