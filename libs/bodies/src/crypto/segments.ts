import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SealError } from '@lethe/vault';

/**
 * Tink's streaming AEAD `AES256_GCM_HKDF_1MB`: the wire format of Tink's "AES-GCM-HKDF Streaming AEAD" with 32-byte keys,
 * HKDF-SHA-256 and 1 MiB ciphertext segments.
 *
 *   header = 1 byte header length (40) ‖ 32 bytes salt ‖ 7 bytes nonce prefix
 *   segment key = HKDF-SHA-256(key, salt, associated data, 32 bytes)
 *   segment i = AES-256-GCM(segment key, nonce prefix ‖ i as 4 bytes big-endian ‖ 1 if last else 0), no associated data
 *
 * The header counts towards the first segment, so segments end at multiples of 1 MiB. Order and end are bound by the nonce:
 * segments cannot be swapped, nor the last ones cut off.
 */
export const SEGMENT_BYTES = 1_048_576;
export const HEADER_BYTES = 40;
export const TAG_BYTES = 16;
const SALT_BYTES = 32;
const PREFIX_BYTES = 7;

/** Bytes of plaintext that segment `index` takes. */
export function capacity(index: number): number {
  return SEGMENT_BYTES - TAG_BYTES - (index === 0 ? HEADER_BYTES : 0);
}

/** Encrypts the segments of one body, in order. */
export class SegmentSealer {
  private readonly key: KeyObject;
  private index = 0;

  /** `header` is given only to repeat what another implementation made; a key and header must never seal twice. */
  constructor(
    contentKey: Buffer,
    associatedData: string,
    private readonly header = newHeader(),
  ) {
    this.key = segmentKey(contentKey, this.header, associatedData);
  }

  /** The header comes with the first segment. */
  seal(plaintext: Buffer, last: boolean): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce(this.header, this.index, last));
    const head = this.index === 0 ? this.header : Buffer.alloc(0);
    this.index += 1;
    return Buffer.concat([head, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Decrypts the segments of one body, in order, each with the header cut off. */
export class SegmentOpener {
  private readonly key: KeyObject;
  private index = 0;

  constructor(
    contentKey: Buffer,
    associatedData: string,
    private readonly header: Buffer,
  ) {
    if (header.length !== HEADER_BYTES || header[0] !== HEADER_BYTES) throw new SealError('malformed');
    this.key = segmentKey(contentKey, header, associatedData);
  }

  /** Throws SealError (`altered`) for anything but exactly this segment of exactly this body. */
  open(segment: Buffer, last: boolean): Buffer {
    const end = segment.length - TAG_BYTES;
    if (end < 0) throw new SealError('malformed');
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce(this.header, this.index, last), {
      authTagLength: TAG_BYTES,
    });
    this.index += 1;
    decipher.setAuthTag(segment.subarray(end));
    const plaintext = decipher.update(segment.subarray(0, end));
    try {
      decipher.final();
    } catch {
      throw new SealError('altered');
    }
    return plaintext;
  }
}

function newHeader(): Buffer {
  return Buffer.concat([Buffer.of(HEADER_BYTES), randomBytes(SALT_BYTES + PREFIX_BYTES)]);
}

function segmentKey(contentKey: Buffer, header: Buffer, associatedData: string): KeyObject {
  const salt = header.subarray(1, 1 + SALT_BYTES);
  // As a KeyObject: Node finds out by an exception that a buffer is none, which takes longer than the HKDF itself.
  const derived = Buffer.from(hkdfSync('sha256', createSecretKey(contentKey), salt, associatedData, 32));
  const key = createSecretKey(derived);
  derived.fill(0);
  return key;
}

function nonce(header: Buffer, index: number, last: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  header.copy(bytes, 0, 1 + SALT_BYTES);
  bytes.writeUInt32BE(index, PREFIX_BYTES);
  bytes[11] = last ? 1 : 0;
  return bytes;
}
