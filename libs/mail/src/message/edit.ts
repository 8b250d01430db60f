import libmime from 'libmime';
import { hasControlCharacter } from '../refusal.ts';
import { headerFields, splitMessage } from './header.ts';

const FIELD_NAME = /^[!-9;-~]+$/;
const FOLD_AT = 76;

/**
 * One header line with its CRLF, non-ASCII text as encoded words (RFC 2047), folded at blanks (RFC 5322 2.2.3).
 * Throws on a name or value that could break out of its line: callers check what comes from outside before.
 */
export function headerLine(name: string, value: string): string {
  if (!FIELD_NAME.test(name) || hasControlCharacter(value)) throw new TypeError('not a header field');
  // Runs of blanks become one: folded, they could make a line of blanks only, which some readers take for the empty one.
  const text = libmime.encodeWords(value.replace(/[ \t]+/g, ' ').trim(), 'Q', 52);
  return `${libmime.foldLines(`${name}: ${text}`, FOLD_AT)}\r\n`;
}

/** Puts whole lines (`Name: value\r\n`, folded or not) before a message; every other byte stays as it was. */
export function prependHeaders(raw: Buffer, lines: readonly string[]): Buffer {
  if (lines.length === 0) return raw;
  const block = Buffer.from(lines.join(''), 'utf8');
  const fields = headerFields(block);
  if (!block.subarray(-2).equals(Buffer.from('\r\n')) || fields.some((field) => field.name === '')) {
    throw new TypeError('only whole header lines can be prepended');
  }
  const { header, separated } = splitMessage(raw);
  // A message without any header needs the empty line, or its text would be read as one.
  const parts = header.length === 0 && !separated ? [block, Buffer.from('\r\n'), raw] : [block, raw];
  return Buffer.concat(parts);
}

/** Takes out every field with one of the names (any case; a trailing `*` is a prefix); all other bytes stay. */
export function removeHeaders(raw: Buffer, names: readonly string[]): Buffer {
  const { header } = splitMessage(raw);
  const wanted = names.map((name) => name.toLowerCase());
  const isWanted = (name: string) =>
    wanted.some((one) => (one.endsWith('*') ? name !== '' && name.startsWith(one.slice(0, -1)) : name === one));
  const kept: Buffer[] = [];
  let from = 0;
  for (const field of headerFields(header)) {
    if (!isWanted(field.name)) continue;
    kept.push(raw.subarray(from, field.start));
    from = field.end;
  }
  if (from === 0) return raw;
  // Where all fields went, the empty line stays, and what follows is still the body.
  return Buffer.concat([...kept, raw.subarray(from)]);
}

/**
 * The lines a submitted message lacks (RFC 6409 8: a submission server may add Date and Message-ID; DKIM cannot sign
 * without From, RFC 6376 5.4). Present ones are never changed, however odd; MIME-Version is not added, as that would
 * change how the body is read.
 */
export function missingHeaders(raw: Buffer, defaults: { from: string; date: Date; messageId: string }): string[] {
  const present = new Set(headerFields(splitMessage(raw).header).map((field) => field.name));
  const lines: string[] = [];
  if (!present.has('from')) lines.push(headerLine('From', defaults.from));
  if (!present.has('date')) lines.push(headerLine('Date', mailDate(defaults.date)));
  if (!present.has('message-id')) lines.push(headerLine('Message-ID', defaults.messageId));
  return lines;
}

/** RFC 5322 3.3, in UTC. */
export function mailDate(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
