import libmime from 'libmime';
import { accept, hasControlCharacter, refuse, type Result } from '../refusal.ts';
import { parseAddress, type Mailbox } from './address.ts';

export interface AddressListOptions {
  /** The most mailboxes that are taken. */
  max?: number;
}

const MAX_LIST_CHARACTERS = 1024 * 1024;
const MAX_NAME_CHARACTERS = 998;

/**
 * Reads a form field of addresses: `Name <a@b>, "Last, First" <c@d>, e@f`, given once or repeated, in UTF-8 or with encoded
 * words (RFC 2047). Comments are dropped, empty elements skipped (RFC 5322 4.4), groups refused. One pass, linear.
 * The first thing that is wrong refuses the whole list; an empty list is refused as missing.
 */
export function parseAddressList(
  values: string | readonly string[],
  field: string,
  options: AddressListOptions = {},
): Result<Mailbox[]> {
  const max = options.max ?? 1000;
  const mailboxes: Mailbox[] = [];
  for (const value of typeof values === 'string' ? [values] : values) {
    if (hasControlCharacter(value) || !value.isWellFormed()) {
      return refuse(field, 'control-character', 'the list of addresses holds a control character');
    }
    if (value.length > MAX_LIST_CHARACTERS) return refuse(field, 'too-long', 'the list of addresses is too long');
    for (const element of elements(value)) {
      if (element.group) return refuse(field, 'group', 'groups of addresses are not taken; list the addresses');
      const mailbox = readElement(element, field);
      if (!mailbox.ok) return mailbox;
      if (mailboxes.length >= max) return refuse(field, 'too-many', `at most ${max} addresses are taken`);
      mailboxes.push(mailbox.value);
    }
  }
  if (mailboxes.length === 0) return refuse(field, 'missing', 'at least one address is needed');
  return accept(mailboxes);
}

/**
 * The mailboxes a message's own header names (`From`, `To`, `Cc`, `Reply-To`), read as liberally as real mail needs: groups
 * are flattened, what cannot be read is skipped. Never refuses.
 */
export function readHeaderAddresses(value: string, max = 1000): Mailbox[] {
  const mailboxes: Mailbox[] = [];
  const cleaned = value
    .slice(0, MAX_LIST_CHARACTERS)
    .replace(/[\r\n\t\0]/g, ' ')
    .toWellFormed();
  for (const element of elements(cleaned)) {
    if (mailboxes.length >= max) break;
    const address = parseAddress((element.angle ?? element.text).trim(), 'header');
    if (!address.ok) continue;
    // A name that cannot be kept is no reason to overlook who is named.
    const name = displayName(element)?.replace(/\p{Cc}+/gu, ' ') ?? '';
    mailboxes.push({ ...address.value, name });
  }
  return mailboxes;
}

function readElement(element: Element, field: string): Result<Mailbox> {
  const read = parseAddress((element.angle ?? element.text).trim(), field);
  if (!read.ok) return read;
  if (element.angle !== undefined && element.after.trim() !== '') {
    return refuse(field, 'malformed', 'something follows an address; separate addresses with commas');
  }
  const name = displayName(element);
  if (name === undefined) return refuse(field, 'too-long', 'a display name is too long');
  // An encoded word can carry what was not allowed in clear.
  if (hasControlCharacter(name)) return refuse(field, 'control-character', 'a display name holds a control character');
  return accept({ ...read.value, name });
}

function displayName(element: Element): string | undefined {
  const written = (element.angle === undefined ? element.comment : element.phrase).trim();
  return written.length > MAX_NAME_CHARACTERS ? undefined : libmime.decodeWords(written).trim();
}

interface Element {
  /** The element as written, comments removed: the address where there are no angle brackets. */
  text: string;
  /** The display name before the brackets, quotes undone. */
  phrase: string;
  angle: string | undefined;
  after: string;
  comment: string;
  /** A group's `name:` stood before this element. */
  group: boolean;
}

/** Splits at the commas that separate. Each character is looked at once. */
function* elements(list: string): Generator<Element> {
  let element = empty();
  let at = 0;
  while (at < list.length) {
    const character = list.charAt(at);
    if (character === '"') {
      const end = quotedEnd(list, at);
      const quoted = list.slice(at, end);
      element.text += quoted;
      if (element.angle === undefined) element.phrase += unquote(quoted);
      else element.after += quoted;
      at = end;
    } else if (character === '(') {
      const end = commentEnd(list, at);
      element.comment = list.slice(at + 1, end - 1);
      at = end;
    } else if (character === '<' && element.angle === undefined) {
      const end = angleEnd(list, at);
      element.angle = end < list.length ? list.slice(at + 1, end) : list.slice(at); // left open: no address
      element.text += list.slice(at, end + 1);
      at = end + 1;
    } else if (character === ',' || character === ';') {
      // A semicolon ends a group; where none was open, the list is of another kind and no better.
      const group = element.group || character === ';';
      if (isSomething({ ...element, group })) yield { ...element, group };
      element = { ...empty(), group: group && character === ',' };
      at++;
    } else if (character === ':' && element.angle === undefined) {
      element = { ...empty(), group: true };
      at++;
    } else {
      element.text += character;
      if (element.angle === undefined) element.phrase += character;
      else element.after += character;
      at++;
    }
  }
  if (isSomething(element)) yield element;
}

function empty(): Element {
  return { text: '', phrase: '', angle: undefined, after: '', comment: '', group: false };
}

function isSomething(element: Element): boolean {
  return element.angle !== undefined || element.text.trim() !== '' || element.group;
}

/** Past the closing quote of the quoted string that opens at `at`, or the end if it never closes. */
function quotedEnd(list: string, at: number): number {
  let end = at + 1;
  while (end < list.length && list[end] !== '"') end += list[end] === '\\' ? 2 : 1;
  return Math.min(end + 1, list.length);
}

/** Past the comment that opens at `at`; comments nest (RFC 5322 3.2.2), counted, not recursed into. */
function commentEnd(list: string, at: number): number {
  let depth = 0;
  let end = at;
  do {
    if (list[end] === '\\') end++;
    else if (list[end] === '(') depth++;
    else if (list[end] === ')') depth--;
    end++;
  } while (depth > 0 && end < list.length);
  return Math.min(end, list.length);
}

/** At the `>` that closes the bracket at `at`, outside quotes, or the end if it never closes. */
function angleEnd(list: string, at: number): number {
  let end = at + 1;
  while (end < list.length && list[end] !== '>') end = list[end] === '"' ? quotedEnd(list, end) : end + 1;
  return end;
}

function unquote(quoted: string): string {
  const closed = quoted.length > 1 && quoted.endsWith('"');
  return quoted.slice(1, closed ? -1 : undefined).replace(/\\(.)/gs, '$1');
}
