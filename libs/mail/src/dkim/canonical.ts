import { createHash } from 'node:crypto';
import { splitMessage } from '../message/header.ts';

const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const CRLF = Buffer.from('\r\n');

/**
 * SHA-256 over the relaxed form of a whole body (RFC 6376 3.4.4), base64, for the `bh=` of every signature of this message.
 * No `l=`: a signature that covers only the beginning lets anybody append. Expects CRLF line ends.
 */
export function dkimBodyHash(raw: Buffer): string {
  return createHash('sha256')
    .update(relaxedBody(splitMessage(raw).body))
    .digest('base64');
}

export function relaxedBody(body: Buffer): Buffer {
  const reduced = needsReducing(body) ? reduceBlanks(body) : body;
  let end = reduced.length;
  while (end >= 4 && reduced.subarray(end - 4, end).equals(Buffer.from('\r\n\r\n'))) end -= 2;
  if (end === 2 && reduced.subarray(0, 2).equals(CRLF)) end = 0;
  const kept = reduced.subarray(0, end);
  return end === 0 || kept.subarray(-2).equals(CRLF) ? kept : Buffer.concat([kept, CRLF]);
}

/** Most bodies hold no run of blanks and none at a line's end; finding that out is much cheaper than copying. */
function needsReducing(body: Buffer): boolean {
  return body.includes('  ') || body.includes(TAB) || body.includes(' \r\n') || body.at(-1) === SPACE;
}

function reduceBlanks(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(body.length);
  let to = 0;
  let blank = false;
  for (const byte of body) {
    if (byte === SPACE || byte === TAB) {
      blank = true;
      continue;
    }
    if (blank && byte !== CR) out[to++] = SPACE;
    blank = false;
    out[to++] = byte;
  }
  return out.subarray(0, to);
}

/** The relaxed form of one field (RFC 6376 3.4.2) without its CRLF; bytes as latin1. Only blank and tab are WSP. */
export function relaxedField(name: string, value: string): string {
  return `${name.toLowerCase()}:${value
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '')}`;
}
