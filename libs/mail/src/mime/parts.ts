import { headerFields, type HeaderField } from '../message/header.ts';
import { readContent, decodedSize, isAttachment, type Content } from './content.ts';

export interface ScanLimits {
  /** How deep multiparts and attached messages may nest. */
  maxDepth: number;
  maxParts: number;
  /** Size of the top-level header block in octets. */
  maxHeaderBytes: number;
}

export interface Attachment {
  /** '' if the part has no name. */
  filename: string;
  /** Lower case, without parameters. */
  contentType: string;
  /** Octets; of base64 the decoded ones, reckoned from evenly broken lines, else as transferred. */
  size: number;
  inline: boolean;
  /** Without angle brackets; '' if there is none. */
  contentId: string;
}

export interface PartHeader {
  header: Buffer;
  fields: HeaderField[];
  bodyStart: number;
}

interface OpenContainer {
  /** Of a multipart; an attached message has none. */
  boundary: string | undefined;
  /** The attached message's own entry, completed when it ends. */
  attachment: Attachment | undefined;
  start: number;
}

interface Delimiter {
  start: number;
  end: number;
  /** Which open container it belongs to. */
  index: number;
  closing: boolean;
}

/** A part that holds no others, where it stands. */
export interface Leaf {
  content: Content;
  part: PartHeader;
  body: Buffer;
  /** In how many attached messages it lies. */
  attachedIn: number;
}

/** What an attachment holds, as it was transferred. */
export interface AttachmentBody {
  body: Buffer;
  encoding: string;
}

/** Who is told of what stands where. */
export interface PartVisitor {
  /** Each part as its header has been read, also those that hold others. */
  entered?(part: PartHeader, content: Content): void;
  leaf?(leaf: Leaf): void;
  attached?(attachment: Attachment, holds: AttachmentBody): void;
}

export interface PartScan {
  attachments: Attachment[];
  parts: number;
  depth: number;
}

/** RFC 2046 5.1.1 allows 70 characters; longer ones are met, endless ones are not looked for. */
const MAX_BOUNDARY = 256;

/**
 * Walks the parts in one pass over the bytes and without recursion: a header is read line by line, a body is skipped to
 * the next delimiter line, and a delimiter closes every part below the multipart it belongs to (RFC 2046 5.1.2). What is
 * inside an attached message counts for the limits, not as an attachment of this one. `visitor` sees them in order.
 */
export function scanParts(
  raw: Buffer,
  top: PartHeader,
  limits: ScanLimits,
  visitor: PartVisitor = {},
): PartScan | 'too-deep' | 'too-many-parts' {
  const walk = new Walk(raw, visitor);
  let part: PartHeader | undefined = top;
  while (part) {
    if (++walk.parts > limits.maxParts) return 'too-many-parts';
    const content = readContent(part);
    visitor.entered?.(part, content);
    if ((content.boundary !== '' || content.isMessage) && walk.open.length >= limits.maxDepth) return 'too-deep';
    part = content.isMessage ? walk.enterMessage(part, content) : walk.next(part, content);
  }
  walk.closeTo(0, raw.length);
  return { attachments: walk.attachments, parts: walk.parts, depth: walk.depth };
}

class Walk {
  readonly attachments: Attachment[] = [];
  readonly open: OpenContainer[] = [];
  parts = 0;
  depth = 0;
  readonly #raw: Buffer;
  readonly #indexOf = new Map<string, number>();
  readonly #visitor: PartVisitor;
  #attachedMessages = 0;

  constructor(raw: Buffer, visitor: PartVisitor) {
    this.#raw = raw;
    this.#visitor = visitor;
  }

  enterMessage(part: PartHeader, content: Content): PartHeader {
    const attachment = this.#add(content, 0);
    this.#attachedMessages++;
    this.#push({ boundary: undefined, attachment, start: part.bodyStart });
    return this.#readHeader(part.bodyStart);
  }

  /** Goes past the body of a part (into it, if it is a multipart) to the next part there is. */
  next(part: PartHeader, content: Content): PartHeader | undefined {
    if (content.boundary !== '') {
      const index = this.open.length;
      // Where an outer multipart uses the same boundary, its delimiters are the outer one's.
      if (!this.#indexOf.has(content.boundary)) this.#indexOf.set(content.boundary, index);
      this.#push({ boundary: content.boundary, attachment: undefined, start: part.bodyStart });
    }
    // A delimiter owns the CRLF before it, which for an empty body is that of the empty line.
    let delimiter = this.#nextDelimiter(Math.max(part.bodyStart - 2, 0));
    if (content.boundary === '') {
      const end = Math.max(delimiter?.start ?? this.#raw.length, part.bodyStart);
      const body = this.#raw.subarray(part.bodyStart, end);
      this.#visitor.leaf?.({ content, part, body, attachedIn: this.#attachedMessages });
      const attachment = isAttachment(content) ? this.#add(content, decodedSize(body, content.encoding)) : undefined;
      if (attachment) this.#visitor.attached?.(attachment, { body, encoding: content.encoding });
    }
    while (delimiter) {
      this.closeTo(delimiter.index + (delimiter.closing ? 0 : 1), delimiter.start);
      if (!delimiter.closing) return this.#readHeader(delimiter.end);
      delimiter = this.#nextDelimiter(delimiter.end - 2);
    }
    return undefined;
  }

  closeTo(length: number, at: number): void {
    while (this.open.length > length) {
      const closed = this.open.pop();
      if (closed?.boundary === undefined) this.#attachedMessages--;
      else if (this.#indexOf.get(closed.boundary) === this.open.length) this.#indexOf.delete(closed.boundary);
      if (closed?.attachment) {
        const body = this.#raw.subarray(closed.start, Math.max(at, closed.start));
        closed.attachment.size = body.length;
        this.#visitor.attached?.(closed.attachment, { body, encoding: '' });
      }
    }
  }

  #push(container: OpenContainer): void {
    this.open.push(container);
    this.depth = Math.max(this.depth, this.open.length);
  }

  #add(content: Content, size: number): Attachment | undefined {
    if (this.#attachedMessages > 0) return undefined;
    const { filename, type: contentType, inline, contentId } = content;
    const attachment = { filename, contentType, size, inline, contentId };
    this.attachments.push(attachment);
    return attachment;
  }

  /** The header that begins at `start`: ends at an empty line, or before what is no header line. */
  #readHeader(start: number): PartHeader {
    let end = start;
    let bodyStart = start;
    while (end < this.#raw.length) {
      const found = this.#raw.indexOf('\r\n', end);
      const lineEnd = found < 0 ? this.#raw.length : found + 2;
      bodyStart = end;
      if (found === end) {
        bodyStart = lineEnd;
        break;
      }
      const folded = end > start && (this.#raw[end] === 0x20 || this.#raw[end] === 0x09);
      const line = this.#raw.subarray(end, lineEnd);
      if (!folded && (headerFields(line)[0]?.name === '' || this.#delimiterAt(end, lineEnd))) break;
      end = lineEnd;
      bodyStart = lineEnd;
    }
    const header = this.#raw.subarray(start, end);
    return { header, fields: headerFields(header), bodyStart };
  }

  #nextDelimiter(from: number): Delimiter | undefined {
    if (this.#indexOf.size === 0) return undefined;
    for (let at = this.#raw.indexOf('\r\n--', from); at >= 0; at = this.#raw.indexOf('\r\n--', at + 4)) {
      const found = this.#raw.indexOf('\r\n', at + 4);
      const lineEnd = found < 0 ? this.#raw.length : found + 2;
      const delimiter = this.#delimiterAt(at + 2, lineEnd);
      if (delimiter) return delimiter;
    }
    return undefined;
  }

  #delimiterAt(lineStart: number, lineEnd: number): Delimiter | undefined {
    if (this.#raw[lineStart] !== 0x2d || this.#raw[lineStart + 1] !== 0x2d) return undefined;
    // Blanks may follow a boundary as padding (RFC 2046 5.1.1).
    const text = this.#raw.toString('latin1', lineStart + 2, Math.min(lineEnd, lineStart + MAX_BOUNDARY)).trimEnd();
    const place = { start: lineStart - 2, end: lineEnd };
    const index = this.#indexOf.get(text);
    if (index !== undefined) return { ...place, index, closing: false };
    const closed = text.endsWith('--') ? this.#indexOf.get(text.slice(0, -2)) : undefined;
    return closed === undefined ? undefined : { ...place, index: closed, closing: true };
  }
}
