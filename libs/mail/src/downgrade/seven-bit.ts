import { isAscii } from 'node:buffer';
import { headerFields, rawValue, splitMessage, type HeaderField } from '../message/header.ts';
import { isMultipart, readContent } from '../mime/content.ts';
import { scanParts, type Leaf, type PartHeader } from '../mime/parts.ts';
import { DEFAULT_SCAN_LIMITS } from '../mime/scan.ts';
import { sevenBitContent } from './content.ts';
import { sevenBitField } from './field.ts';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly octets: Buffer;
}

const CRLF = '\r\n';
const ENCODING = 'content-transfer-encoding';

/**
 * The message for a server that takes no octets over 127: contents are encoded (RFC 6152 §3, RFC 2045 §6), header fields get encoded words
 * (RFC 2047) and encoded parameters (RFC 2231). What is ASCII already stays byte for byte. Undefined where that cannot be done without
 * losing something: an address that is not ASCII, a field or structure that nobody can be sure how to read.
 *
 * Signatures over it are void: sign what this answers. Takes a message that was taken in (CRLF, within `DEFAULT_SCAN_LIMITS`).
 */
export function sevenBit(raw: Buffer): Buffer | undefined {
  if (isAscii(raw)) return raw;
  const { header, body } = splitMessage(raw);
  const top = { header, fields: headerFields(header), bodyStart: raw.length - body.length };
  const edits = new Edits(raw);
  scanParts(raw, top, DEFAULT_SCAN_LIMITS, {
    entered: (part) => edits.enter(part, part.header === header),
    leaf: (leaf) => edits.leaf(leaf),
  });
  const converted = edits.apply();
  return converted && isAscii(converted) ? converted : undefined;
}

class Edits {
  readonly #raw: Buffer;
  readonly #edits: Edit[] = [];
  #possible = true;

  constructor(raw: Buffer) {
    this.#raw = raw;
  }

  /** Its header; what is in it comes later. */
  enter(part: PartHeader, top: boolean): void {
    const content = readContent(part);
    const holdsParts = isMultipart(content) || content.isMessage;
    for (const field of part.fields) {
      // What holds parts is as its parts are: 7bit (RFC 2045 §6.4).
      if (field.name === ENCODING && holdsParts) this.#replace(part, field, `Content-Transfer-Encoding: 7bit${CRLF}`);
      else if (!isAscii(part.header.subarray(field.start, field.end))) this.#convert(part, field);
    }
    // Without it nobody reads the encoding of a content (RFC 2045 §4).
    if (top && !part.fields.some(({ name }) => name === 'mime-version')) this.#append(part, `MIME-Version: 1.0${CRLF}`);
  }

  leaf({ part, body, content }: Leaf): void {
    if (isAscii(body)) return;
    // What holds parts takes no encoding (RFC 2045 §6.4); this is one whose parts cannot be found.
    if (/^(?:multipart|message)\//.test(content.type)) this.#possible = false;
    const { octets, encoding, type } = sevenBitContent(body, content);
    const from = part.bodyStart;
    this.#edits.push({ start: from, end: from + body.length, octets });
    if (encoding === undefined) return;
    for (const field of part.fields) if (field.name === ENCODING) this.#replace(part, field, '');
    const typed = part.fields.some(({ name }) => name === 'content-type') ? '' : `Content-Type: ${type}${CRLF}`;
    this.#append(part, `${typed}Content-Transfer-Encoding: ${encoding}${CRLF}`);
  }

  apply(): Buffer | undefined {
    if (!this.#possible) return undefined;
    const pieces: Buffer[] = [];
    let at = 0;
    for (const { start, end, octets } of this.#edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
      pieces.push(this.#raw.subarray(at, start), octets);
      at = end;
    }
    return Buffer.concat([...pieces, this.#raw.subarray(at)]);
  }

  #convert(part: PartHeader, field: HeaderField): void {
    const name = part.header.toString('latin1', field.start, field.start + field.name.length);
    const line = field.name === '' ? undefined : sevenBitField(name, rawValue(part.header, field));
    if (line === undefined) this.#possible = false;
    else this.#replace(part, field, line);
  }

  #replace({ header }: PartHeader, { start, end }: HeaderField, line: string): void {
    const from = header.byteOffset - this.#raw.byteOffset;
    this.#edits.push({ start: from + start, end: from + end, octets: Buffer.from(line, 'latin1') });
  }

  /** A header that ends without an empty line takes no further field. */
  #append({ header, bodyStart }: PartHeader, lines: string): void {
    const end = header.byteOffset - this.#raw.byteOffset + header.length;
    if (this.#raw.toString('latin1', end, bodyStart) !== CRLF) this.#possible = false;
    this.#edits.push({ start: end, end, octets: Buffer.from(lines, 'latin1') });
  }
}
