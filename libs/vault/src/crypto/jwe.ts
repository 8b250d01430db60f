import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SealError } from '../errors.ts';
import { randomIv } from './random-iv.ts';

/**
 * A sealed value: compact JWE (RFC 7516 §7.1), `dir` and `A256GCM`, no compression (it would tell the length of what
 * repeats). Made with node:crypto, because a general library takes five times as long and this is the hottest path.
 */
export interface SealHeader {
  alg: 'dir';
  enc: 'A256GCM';
  /** Account id. */
  acc: string;
  /** What kind of part is sealed. */
  typ: string;
  /** The record it belongs to. */
  rid: string;
  /** Subject id; absent where the value is sealed for the account. */
  sub?: string;
  /** `<class>/<bucket>`, or `standing`. */
  per: string;
}

/** What a seal says of itself. */
export interface Addressee {
  account: string;
  subject: string | undefined;
  type: string;
  recordId: string;
}

export interface ParsedSeal {
  header: SealHeader;
  protectedHeader: string;
  iv: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

export function encrypt(key: KeyObject, header: SealHeader, plaintext: string): string {
  const protectedHeader = Buffer.from(JSON.stringify(header), 'utf8').toString('base64url');
  const iv = randomIv();
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(Buffer.from(protectedHeader, 'latin1'));
  // GCM is a stream: update answers everything, final adds nothing but the tag.
  const ciphertext = cipher.update(plaintext, 'utf8');
  cipher.final();
  return `${protectedHeader}..${iv.toString('base64url')}.${ciphertext.toString('base64url')}.${cipher.getAuthTag().toString('base64url')}`;
}

/** For whoever is handed a seal and has to find out whose it is. Nothing of it is true before it was opened. @throws SealError */
export function addresseeOf(jwe: string): Addressee {
  const { acc: account, sub: subject, typ: type, rid: recordId } = parse(jwe).header;
  return { account, subject, type, recordId };
}

/** Takes a compact JWE apart. Nothing in it is believed before `decrypt` has answered. */
export function parse(jwe: string): ParsedSeal {
  const parts = jwe.split('.');
  if (parts.length !== 5 || parts[1] !== '') throw new SealError('malformed');
  const [protectedHeader = '', , iv = '', ciphertext = '', tag = ''] = parts;
  const parsed = {
    header: parseHeader(protectedHeader),
    protectedHeader,
    iv: Buffer.from(iv, 'base64url'),
    ciphertext: Buffer.from(ciphertext, 'base64url'),
    tag: Buffer.from(tag, 'base64url'),
  };
  if (parsed.iv.length !== 12 || parsed.tag.length !== 16) throw new SealError('malformed');
  return parsed;
}

export function decrypt(key: KeyObject, sealed: ParsedSeal): string {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.iv, { authTagLength: 16 });
  decipher.setAAD(Buffer.from(sealed.protectedHeader, 'latin1'));
  decipher.setAuthTag(sealed.tag);
  const plaintext = decipher.update(sealed.ciphertext);
  try {
    decipher.final();
  } catch {
    throw new SealError('altered');
  }
  return plaintext.toString('utf8');
}

function parseHeader(encoded: string): SealHeader {
  let header: Partial<Record<keyof SealHeader | 'zip' | 'crit', unknown>>;
  try {
    header = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as typeof header;
  } catch {
    throw new SealError('malformed');
  }
  const whole =
    header?.alg === 'dir' &&
    header.enc === 'A256GCM' &&
    header.zip === undefined &&
    header.crit === undefined &&
    [header.acc, header.typ, header.rid, header.per].every((field) => typeof field === 'string') &&
    (header.sub === undefined || typeof header.sub === 'string');
  if (!whole) throw new SealError('malformed');
  return header as SealHeader;
}
