import { isAscii } from 'node:buffer';

/** Message content ready for DATA: dot-stuffed, ended by the final dot (RFC 5321 §4.5.2). */
export interface DataBlock {
  bytes: Buffer;
  /** Octets of the message itself: what SIZE announces (RFC 1870). */
  size: number;
  /** Octets over 127 anywhere: BODY=8BITMIME (RFC 6152). */
  eightBit: boolean;
}

/** One message to one recipient. Addresses come with an ASCII domain; the local part may be UTF-8 (RFC 6531). */
export interface Transmission {
  from: string;
  to: string;
  data: DataBlock;
  /** Header lines to go before the data, CRLF-ended. */
  prefix: Buffer;
  /** The header or an address needs SMTPUTF8. */
  utf8: boolean;
  /** The same in ASCII, for a server that takes no more; undefined: it cannot be said in ASCII. Absent where it is ASCII. */
  sevenBit?: (() => Promise<DataBlock | undefined>) | undefined;
}

const END = Buffer.from('.\r\n');
const CRLF_END = Buffer.from('\r\n.\r\n');
const LEADING_DOT = Buffer.from('\r\n.');
const DOT = 0x2e;
const CR = 0x0d;
const LF = 0x0a;

/** Beyond this many leading dots a native search and copy for each takes longer than looking at every octet. */
const MANY_DOTS = 10_000;

/**
 * `parts` together are one message with CRLF line ends. Nothing is done per line in any usual message, and one made of
 * leading dots takes no more than a look at each octet.
 */
export function dataBlock(parts: readonly Buffer[]): DataBlock {
  const message = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  const end = endsWithCrlf(message) ? END : CRLF_END;
  const dots = leadingDots(message);
  const bytes = dots === 'many' ? stuffOctets(message, end) : stuffAt(message, dots, end);
  return { bytes, size: message.length, eightBit: !isAscii(message) };
}

/** Where lines begin with a dot (RFC 5321 §4.5.2). */
function leadingDots(message: Buffer): number[] | 'many' {
  const dots = message[0] === DOT ? [0] : [];
  for (let at = message.indexOf(LEADING_DOT); at !== -1; at = message.indexOf(LEADING_DOT, at + 3)) {
    if (dots.push(at + 2) > MANY_DOTS) return 'many';
  }
  return dots;
}

function stuffAt(message: Buffer, dots: number[], end: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(message.length + dots.length + end.length);
  let to = 0;
  let from = 0;
  for (const at of dots) {
    // The dot itself is copied with what follows it.
    to += message.copy(bytes, to, from, at);
    bytes[to++] = DOT;
    from = at;
  }
  to += message.copy(bytes, to, from);
  end.copy(bytes, to);
  return bytes;
}

function stuffOctets(message: Buffer, end: Buffer): Buffer {
  // A leading dot needs CR LF before it: there is one at most in every three octets.
  const bytes = Buffer.allocUnsafe(message.length + Math.ceil(message.length / 3) + 1 + end.length);
  let to = 0;
  let before = CR;
  let last = LF;
  for (const octet of message) {
    if (octet === DOT && last === LF && before === CR) bytes[to++] = DOT;
    bytes[to++] = octet;
    before = last;
    last = octet;
  }
  return bytes.subarray(0, to + end.copy(bytes, to));
}

function endsWithCrlf(message: Buffer): boolean {
  return message.length >= 2 && message[message.length - 2] === CR && message[message.length - 1] === LF;
}
