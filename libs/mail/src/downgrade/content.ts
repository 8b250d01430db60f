import { encode, wrap } from 'nodemailer/lib/qp';
import { base64, MAX_LINE } from '../compose/part.ts';
import type { Content } from '../mime/content.ts';

export interface SevenBitContent {
  readonly octets: Buffer;
  /** Undefined: that of the part stays. */
  readonly encoding?: 'quoted-printable' | 'base64';
  /** Of a part that names none. */
  readonly type: string;
}

/** Longer ones are encoded in base64, which takes a fraction of the time. */
const MAX_QUOTED = 256 * 1024;
const TOO_LONG = new RegExp(`[^\\r\\n]{${MAX_LINE + 1},}`, 'g');
const CRLF = Buffer.from('\r\n');

/** The octets of a part, some of them over 127, so that all are below (RFC 2045 §6). */
export function sevenBitContent(body: Buffer, { type, encoding }: Content): SevenBitContent {
  const typed = type === 'text/plain' ? `text/plain; charset=${charsetOf(body)}` : type;
  // What is said to be encoded and is not quite: octets that no encoding has are read as nothing, or as themselves (RFC 2045 §6.7, §6.8).
  if (encoding === 'base64') return { octets: body.filter((octet) => octet < 0x80) as Buffer, type: typed };
  if (encoding === 'quoted-printable') {
    const quoted = body
      .toString('latin1')
      .replace(/[\x80-\xff]/g, escaped)
      // Three octets for one: it may be a line that no server takes now.
      .replace(TOO_LONG, (line) => wrap(line, 76));
    return { octets: Buffer.from(quoted, 'latin1'), type: typed };
  }
  // The last line end of a whole message stays one.
  const ended = body.subarray(-2).equals(CRLF);
  const content = ended ? body.subarray(0, -2) : body;
  const ends = (octets: Buffer): Buffer => (ended ? Buffer.concat([octets, CRLF]) : octets);
  if (type.startsWith('text/') && content.length <= MAX_QUOTED && isMostlyAscii(content)) {
    const quoted = Buffer.from(wrap(encode(content), 76), 'latin1');
    return { octets: ends(quoted), encoding: 'quoted-printable', type: typed };
  }
  return { octets: ends(base64(body)), encoding: 'base64', type: typed };
}

const escaped = (octet: string): string => `=${octet.charCodeAt(0).toString(16).toUpperCase()}`;

function isMostlyAscii(content: Buffer): boolean {
  let others = 0;
  for (const octet of content) if (octet > 0x7f) others += 1;
  return others * 6 <= content.length;
}

/** Nobody has said it (RFC 1428). */
function charsetOf(body: Buffer): string {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(body);
    return 'utf-8';
  } catch {
    return 'unknown-8bit';
  }
}
