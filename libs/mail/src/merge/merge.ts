import { addressLine } from '../compose/compose.ts';
import { textPart, type Part } from '../compose/part.ts';
import { headerLine } from '../message/edit.ts';
import { headerFields, rawValue, splitMessage, type HeaderField } from '../message/header.ts';
import { isAttachment } from '../mime/content.ts';
import { decodeCharset, decodeOctets } from '../mime/decode.ts';
import { parseMailboxes } from '../mime/mailboxes.ts';
import { scanParts, type Leaf } from '../mime/parts.ts';
import { DEFAULT_SCAN_LIMITS } from '../mime/scan.ts';
import { decodeText } from '../mime/text.ts';
import type { Mailbox } from '../address/address.ts';
import { fillIn, fillInLinks, linksIn, PlaceholderCount, type MergeRecipient } from './placeholders.ts';

/** What stands in the To of a message that each recipient gets for themselves; `MailMerge` puts them there. */
export const EACH_RECIPIENT: Pick<Mailbox, 'name' | 'address'> = { address: '%recipient%', name: '' };

/** Octets between two places, written anew for each recipient. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly write: (copy: Copy) => Buffer | string;
}

/** One recipient's message while it is written. */
interface Copy {
  readonly recipient: MergeRecipient;
  readonly part: (text: MergedText) => Part;
}

/** A text part with placeholders, decoded. */
interface MergedText {
  readonly subtype: string;
  readonly text: string;
  /** The message has no other part: its text ends with a line end. */
  readonly whole: boolean;
}

/** Fields of mailboxes (RFC 5322 §3.6.2, §3.6.3, §3.6.6): what was allowed as their author stays it, whatever is filled in. */
const STRUCTURED = /^(?:resent-)?(?:from|sender|reply-to|to|cc)$/;
/** What ends no name, no local part and no mailbox, in quotes or outside of them. */
const ATOM = /^[A-Za-z0-9 ._+-]*$/;
const MARK = '%recipient';
/** Links are some 700 octets, so that many of them add less than a recipient's values may. */
const MAX_LINKS = 100;
const CRLF = '\r\n';

/**
 * One message as many: each recipient gets it with only themselves in its To, and with their own values in its header and in the texts
 * that are its own. What has no placeholder stays byte for byte; an attachment's is the sender's business. A changed text is UTF-8.
 *
 * `shared`: a message that all its recipients see each other in. It has no values of theirs; only the links that each has of their own.
 *
 * Read once, written for each. Takes a message that was taken in (CRLF, within `DEFAULT_SCAN_LIMITS`).
 */
export class MailMerge {
  readonly #raw: Buffer;
  readonly #edits: Edit[] = [];
  readonly #placeholders = new PlaceholderCount();
  readonly #shared: boolean;
  #links = 0;
  #changesBody = false;

  constructor(raw: Buffer, kind: 'each' | 'shared' = 'each') {
    this.#raw = raw;
    this.#shared = kind === 'shared';
    const { header, body } = splitMessage(raw);
    const fields = headerFields(header);
    this.#editHeader(header, fields);
    scanParts(raw, { header, fields, bodyStart: raw.length - body.length }, DEFAULT_SCAN_LIMITS, {
      leaf: (leaf) => this.#editText(leaf, leaf.part.header === header),
    });
    this.#edits.sort((a, b) => a.start - b.start || a.end - b.end);
  }

  /** Whether recipients' copies differ in more than the header. */
  get changesBody(): boolean {
    return this.#changesBody;
  }

  /** Octets that a recipient's values add at most, before they are encoded. */
  growth(recipient: MergeRecipient): number {
    return this.#placeholders.growth(recipient);
  }

  for(recipient: MergeRecipient): Buffer {
    const parts = new Map<MergedText, Part>();
    const part = (merged: MergedText): Part => {
      const known = parts.get(merged) ?? written(merged, this.#filled(merged.text, recipient));
      parts.set(merged, known);
      return known;
    };
    const pieces: Buffer[] = [];
    let at = 0;
    for (const { start, end, write } of this.#edits) {
      const piece = write({ recipient, part });
      pieces.push(this.#raw.subarray(at, start), typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece);
      at = end;
    }
    return Buffer.concat([...pieces, this.#raw.subarray(at)]);
  }

  #editHeader(header: Buffer, fields: readonly HeaderField[]): void {
    const shown = fields.filter(({ name }) => name === 'to' || name === 'cc');
    if (!this.#shared) this.#editShown(header, shown);
    for (const field of fields) {
      if (shown.includes(field) || field.name === '' || field.name.startsWith('content-')) continue;
      const name = header.toString('latin1', field.start, field.start + field.name.length);
      const value = rawValue(header, field);
      const write = STRUCTURED.test(field.name) ? this.#mailboxes(name, value) : this.#text(name, decodeText(value));
      if (write) this.#edits.push({ start: field.start, end: field.end, write });
    }
  }

  #text(name: string, text: string): Edit['write'] | undefined {
    return this.#mark(text) ? ({ recipient }) => headerLine(name, oneLine(this.#filled(text, recipient))) : undefined;
  }

  /**
   * Mailbox by mailbox, written anew: decoded as one text, an encoded word (RFC 2047) that says `ceo@b.example,` would become a mailbox.
   * What cannot be read whole stays as it stands.
   */
  #mailboxes(name: string, value: string): Edit['write'] | undefined {
    if (this.#shared) return undefined;
    const read = parseMailboxes(value, name);
    if (!read.ok || !read.value.some((mailbox) => this.#mark(`${mailbox.name} ${mailbox.address}`))) return undefined;
    const filled = (text: string, { recipient }: Copy): string => fillIn(text, recipient, ATOM);
    return (copy) =>
      addressLine(
        name,
        read.value.map((mailbox) => ({ name: filled(mailbox.name, copy), address: filled(mailbox.address, copy) })),
      );
  }

  #editShown(header: Buffer, shown: readonly HeaderField[]): void {
    const place = shown[0]?.start ?? header.length;
    for (const { start, end } of shown) this.#edits.push({ start, end, write: () => '' });
    this.#edits.push({
      start: place,
      end: place,
      write: ({ recipient: { address, name = '' } }) => addressLine('To', [{ address, name }]),
    });
  }

  /** Whether something in it is filled in; counts it. */
  #mark(text: string): boolean {
    const links = linksIn(text);
    this.#links += links;
    const isOwn = !this.#shared && text.includes(MARK);
    if (isOwn) this.#placeholders.add(text);
    return isOwn || links > 0;
  }

  /** A link first: what a recipient's value says is not looked through again. */
  #filled(text: string, recipient: MergeRecipient): string {
    const { unsubscribeUrl: url } = recipient;
    const linked = url === undefined || this.#links > MAX_LINKS ? text : fillInLinks(text, url);
    return this.#shared ? linked : fillIn(linked, recipient);
  }

  #editText({ content, body, attachedIn, part }: Leaf, whole: boolean): void {
    if (attachedIn > 0 || !content.type.startsWith('text/') || isAttachment(content)) return;
    const text = decodeCharset(decodeOctets(body, content.encoding), content.charset);
    if (!this.#mark(text)) return;
    const start = part.header.byteOffset - this.#raw.byteOffset;
    const headerEnd = start + part.header.length;
    // A header that ends without an empty line takes no further field.
    if (this.#raw.toString('latin1', headerEnd, part.bodyStart) !== CRLF) return;
    this.#changesBody = true;
    const merged: MergedText = { subtype: content.type.slice('text/'.length), text, whole };
    for (const field of part.fields) {
      if (field.name !== 'content-type' && field.name !== 'content-transfer-encoding') continue;
      this.#edits.push({ start: start + field.start, end: start + field.end, write: () => '' });
    }
    this.#edits.push({ start: headerEnd, end: headerEnd, write: (copy) => copy.part(merged).header });
    const end = part.bodyStart + body.length;
    this.#edits.push({ start: part.bodyStart, end, write: (copy) => copy.part(merged).content });
  }
}

function written({ subtype, whole }: MergedText, filled: string): Part {
  // In a multipart a value could otherwise end the part it stands in, where the sender's boundary is known; lines may still be wrapped.
  const { header, content } = textPart(subtype, filled, !whole && filled.includes('--'));
  const ended = !whole || content.at(-1) === 0x0a;
  return { header, content: ended ? content : Buffer.concat([content, Buffer.from(CRLF)]) };
}

/** A value cannot break out of its line (RFC 5322 §2.2), nor hold what no header line may. */
const oneLine = (text: string): string => text.toWellFormed().replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
