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

const CRLF = Buffer.from('\r\n');
const END = Buffer.from('.\r\n');
const LEADING_DOT = Buffer.from('\r\n.');
const DOT = 0x2e;

/**
 * `parts` together are one message with CRLF line ends. Native searches only: nothing is done per line, and a message
 * without a leading dot anywhere costs one copy.
 */
export function dataBlock(parts: readonly Buffer[]): DataBlock {
  const message = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  const pieces: Buffer[] = message[0] === DOT ? [Buffer.from('.')] : [];
  let from = 0;
  for (let at = message.indexOf(LEADING_DOT); at !== -1; at = message.indexOf(LEADING_DOT, at + 2)) {
    // The dot stays for the next piece, so it is there twice.
    pieces.push(message.subarray(from, at + 3));
    from = at + 2;
  }
  pieces.push(message.subarray(from));
  if (!endsWithCrlf(message)) pieces.push(CRLF);
  pieces.push(END);
  return { bytes: Buffer.concat(pieces), size: message.length, eightBit: !isAscii(message) };
}

function endsWithCrlf(message: Buffer): boolean {
  return message.length >= 2 && message[message.length - 2] === 13 && message[message.length - 1] === 10;
}
