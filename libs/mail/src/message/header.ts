const CRLF = Buffer.from('\r\n');
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** A message in two views of the same memory. Expects CRLF line ends (`normaliseMessage`). */
export interface SplitMessage {
  /** All header lines, each with its CRLF; empty if the message has none. */
  header: Buffer;
  /** What follows the empty line, or all of it where there is no header. */
  body: Buffer;
  /** Whether an empty line stands between the two; without one a message is all header or all body. */
  separated: boolean;
}

/** A field where it stands: `end` is past its last CRLF. Lines that are no field have the name ''. */
export interface HeaderField {
  /** Lower case. */
  name: string;
  start: number;
  /** Where the value begins, after the colon. */
  value: number;
  end: number;
}

/**
 * Splits at the first empty line (RFC 5322 2.1). A message that does not begin with a field (nor with the `From ` line of
 * an mbox) has no header: all of it is body.
 */
export function splitMessage(raw: Buffer): SplitMessage {
  if (raw.subarray(0, 2).equals(CRLF)) return { header: raw.subarray(0, 0), body: raw.subarray(2), separated: true };
  const lineEnd = raw.indexOf(CRLF);
  const first = raw.subarray(0, lineEnd < 0 ? raw.length : lineEnd);
  if (fieldNameLength(first, 0, first.length) === 0 && !first.subarray(0, 5).equals(Buffer.from('From '))) {
    return { header: raw.subarray(0, 0), body: raw, separated: false };
  }
  const empty = raw.indexOf('\r\n\r\n');
  if (empty < 0) return { header: raw, body: raw.subarray(raw.length), separated: false };
  return { header: raw.subarray(0, empty + 2), body: raw.subarray(empty + 4), separated: true };
}

/** The fields of a header block in order, folded lines joined to theirs; linear, never throws. */
export function headerFields(header: Buffer): HeaderField[] {
  const fields: HeaderField[] = [];
  let start = 0;
  while (start < header.length) {
    const found = header.indexOf(CRLF, start);
    const end = found < 0 ? header.length : found + 2;
    const previous = fields.at(-1);
    if (previous && (header[start] === SPACE || header[start] === TAB)) {
      previous.end = end;
    } else {
      const length = fieldNameLength(header, start, end);
      const name = header.toString('latin1', start, start + length).toLowerCase();
      fields.push({ name, start, value: length > 0 ? header.indexOf(COLON, start + length) + 1 : start, end });
    }
    start = end;
  }
  return fields;
}

/** Octets of the field name at `start`, 0 if the line is no field. Blanks before the colon are obsolete but real (4.5). */
function fieldNameLength(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isFieldNameByte(bytes[at] ?? 0)) at++;
  const length = at - start;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  return at < end && bytes[at] === COLON ? length : 0;
}

/** RFC 5322 2.2: printable US-ASCII except the colon. */
function isFieldNameByte(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && byte !== COLON;
}

/** The unfolded value (RFC 5322 2.2.3) of a field as latin1, one character a byte. */
export function rawValue(header: Buffer, field: HeaderField): string {
  return header.toString('latin1', field.value, field.end).replaceAll('\r\n', '').trim();
}
