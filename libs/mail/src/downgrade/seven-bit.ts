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
const MIME_VERSION = `MIME-Version: 1.0${CRLF}`;
/** Of what has another one nobody here knows what it encodes. */
const ENCODINGS = /^(?:|7bit|8bit|binary|quoted-printable|base64)$/;

/**
 * The message for a server that takes no octets over 127: contents are encoded (RFC 6152 §3, RFC 2045 §6), header fields get encoded words
 * (RFC 2047) and encoded parameters (RFC 2231). What is ASCII already stays byte for byte. Undefined where that cannot be done without
 * losing something: an address that is not ASCII, a field or structure that nobody can be sure how to read, what is in a
 * `multipart/signed`, which nobody may change on the way (RFC 1847 §2.1), nor here anything that follows it.
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
  /** Where the first `multipart/signed` begins to hold parts: from there on nothing is touched. */
  #signedFrom = Infinity;
  /** Parts that name no type may be messages (RFC 2046 §5.1.5). */
  #inDigest = false;
  /** The attached message that began last, and whether the next part is one. */
  #attached: PartHeader | undefined;
  #attaches = false;

  constructor(raw: Buffer) {
    this.#raw = raw;
  }

  /** Its header; what is in it comes later. */
  enter(part: PartHeader, top: boolean): void {
    if (this.#isSigned(part)) return;
    const content = readContent(part);
    if (this.#attaches) this.#attached = part;
    this.#attaches = content.isMessage;
    if (content.type === 'multipart/digest') this.#inDigest = true;
    if (content.type === 'multipart/signed') this.#signedFrom = part.bodyStart;
    const holdsParts = isMultipart(content) || content.isMessage;
    for (const field of part.fields) {
      // What holds parts is as its parts are: 7bit (RFC 2045 §6.4).
      if (field.name === ENCODING && holdsParts) this.#replace(part, field, `Content-Transfer-Encoding: 7bit${CRLF}`);
      else if (!isAscii(part.header.subarray(field.start, field.end))) this.#convert(part, field);
    }
    // Without it nobody reads the encoding of a content (RFC 2045 §4).
    if (top && !has(part, 'mime-version')) this.#append(part, MIME_VERSION);
  }

  leaf({ part, body, content }: Leaf): void {
    if (isAscii(body) || this.#isSigned(part)) return;
    const isTyped = has(part, 'content-type');
    // What holds parts takes no encoding (RFC 2045 §6.4); this is one whose parts cannot be found.
    if (/^(?:multipart|message)\//.test(content.type)) this.#possible = false;
    if (!ENCODINGS.test(content.encoding) || (this.#inDigest && !isTyped)) this.#possible = false;
    const { octets, encoding, type } = sevenBitContent(body, content);
    const from = part.bodyStart;
    this.#edits.push({ start: from, end: from + body.length, octets });
    if (encoding === undefined) return;
    for (const field of part.fields) if (field.name === ENCODING) this.#replace(part, field, '');
    const typed = isTyped ? '' : `Content-Type: ${type}${CRLF}`;
    const version = part === this.#attached && !has(part, 'mime-version') ? MIME_VERSION : '';
    this.#append(part, `${version}${typed}Content-Transfer-Encoding: ${encoding}${CRLF}`);
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

  #isSigned({ bodyStart }: PartHeader): boolean {
    return bodyStart > this.#signedFrom;
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

const has = ({ fields }: PartHeader, wanted: string): boolean => fields.some(({ name }) => name === wanted);
