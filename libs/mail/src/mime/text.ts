import libmime from 'libmime';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Header bytes (given as latin1, one character a byte) as text: UTF-8 (RFC 6532) where they are, else latin1. */
export function bytesToText(latin1: string): string {
  try {
    return utf8.decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return latin1;
  }
}

/** The same with encoded words (RFC 2047) decoded and control characters made blanks. */
export function decodeText(latin1: string): string {
  return libmime
    .decodeWords(bytesToText(latin1))
    .replace(/\p{Cc}+/gu, ' ')
    .toWellFormed()
    .trim();
}
