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
}

const END = Buffer.from('.\r\n');
const CRLF_END = Buffer.from('\r\n.\r\n');
const LEADING_DOT = Buffer.from('\r\n.');
const DOT = 0x2e;

/**
 * `parts` together are one message with CRLF line ends. Native searches and copies only: nothing is done per line, and a
 * message made of leading dots costs no more memory than it has octets.
 */
export function dataBlock(parts: readonly Buffer[]): DataBlock {
  const message = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  const end = endsWithCrlf(message) ? END : CRLF_END;
  const dots = leadingDots(message);
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
  return { bytes, size: message.length, eightBit: !isAscii(message) };
}

/** Where lines begin with a dot (RFC 5321 §4.5.2). */
function leadingDots(message: Buffer): number[] {
  const dots = message[0] === DOT ? [0] : [];
  for (let at = message.indexOf(LEADING_DOT); at !== -1; at = message.indexOf(LEADING_DOT, at + 3)) dots.push(at + 2);
  return dots;
}

function endsWithCrlf(message: Buffer): boolean {
  return message.length >= 2 && message[message.length - 2] === 13 && message[message.length - 1] === 10;
}
