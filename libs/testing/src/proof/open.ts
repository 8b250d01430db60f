import { createDecipheriv, hkdfSync } from 'node:crypto';

/** What the decisions 0002 and 0003 say, written a second time: nothing here comes from the libraries that it judges. */

const TAG_OCTETS = 16;

/** Key of a sealed value: HKDF-SHA-256 without salt over the secrets in this order (docs/decisions/0002). */
export function recordKey(secrets: { subject?: Buffer; account: Buffer; period?: Buffer }): Buffer {
  const { subject, account, period } = secrets;
  const input = Buffer.concat([subject, account, period].filter((secret) => secret !== undefined));
  const info = `lethe/record-key/v1/${subject ? 'subject' : 'account'}`;
  return Buffer.from(hkdfSync('sha256', input, Buffer.alloc(0), info, 32));
}

/** @returns the plaintext of a compact JWE with `dir` and `A256GCM`; null where the key is another. */
export function openJwe(jwe: string, key: Buffer): string | null {
  const [header = '', , iv = '', ciphertext = '', tag = ''] = jwe.split('.');
  const octets = (part: string) => Buffer.from(part, 'base64url');
  return opened(key, octets(iv), octets(ciphertext), octets(tag), Buffer.from(header, 'latin1'))?.toString() ?? null;
}

const SEGMENT_OCTETS = 1_048_576;
const HEADER_OCTETS = 40;
const SALT_OCTETS = 32;

/** @returns the plaintext of a Tink stream `AES256_GCM_HKDF_1MB` (docs/decisions/0003); null where the key is another. */
export function openTinkStream(sealed: Buffer, key: Buffer, associatedData: string): Buffer | null {
  if (sealed[0] !== HEADER_OCTETS) return null;
  const salt = sealed.subarray(1, 1 + SALT_OCTETS);
  const prefix = sealed.subarray(1 + SALT_OCTETS, HEADER_OCTETS);
  const segmentKey = Buffer.from(hkdfSync('sha256', key, salt, associatedData, 32));
  const plaintext: Buffer[] = [];
  for (let [start, index] = [HEADER_OCTETS, 0]; index === 0 || start < sealed.length; index += 1) {
    const end = Math.min((index + 1) * SEGMENT_OCTETS, sealed.length);
    const [content, tag] = [sealed.subarray(start, end - TAG_OCTETS), sealed.subarray(end - TAG_OCTETS, end)];
    const nonce = Buffer.concat([prefix, Buffer.alloc(5)]);
    nonce.writeUInt32BE(index, prefix.length);
    nonce[11] = end === sealed.length ? 1 : 0;
    const segment = opened(segmentKey, nonce, content, tag);
    if (segment === null) return null;
    plaintext.push(segment);
    start = end;
  }
  return Buffer.concat(plaintext);
}

function opened(key: Buffer, iv: Buffer, ciphertext: Buffer, tag: Buffer, additional?: Buffer): Buffer | null {
  if (iv.length !== 12 || tag.length !== TAG_OCTETS) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_OCTETS });
  if (additional) decipher.setAAD(additional);
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return null;
  }
}
