import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { VaultSetupError } from '../errors.ts';

/** RFC 3394 §2.2.3.1: the initial value whose return proves that the wrapped key is whole. */
const INITIAL_VALUE = Buffer.alloc(8, 0xa6);
const WRAPPED_BYTES = 40;

/** Wraps and unwraps 32-byte secrets with the key-encryption key (AES-256 Key Wrap, RFC 3394). */
export class KeyWrap {
  private readonly kek: KeyObject;

  /** `kek`: 32 bytes. The caller may clear its copy afterwards. */
  constructor(kek: Buffer) {
    if (kek.length !== 32) throw new VaultSetupError('The key-encryption key must have 32 bytes');
    this.kek = createSecretKey(kek);
  }

  /** A new random secret and its wrapped form. */
  generate(): { secret: Buffer; wrapped: Buffer } {
    const secret = randomBytes(32);
    return { secret, wrapped: this.wrap(secret) };
  }

  /** A new random secret that only the vault's answer will show again: whoever was first, wins. */
  generateWrapped(): Buffer {
    const { secret, wrapped } = this.generate();
    secret.fill(0);
    return wrapped;
  }

  wrap(secret: Buffer): Buffer {
    const cipher = createCipheriv('id-aes256-wrap', this.kek, INITIAL_VALUE);
    return Buffer.concat([cipher.update(secret), cipher.final()], WRAPPED_BYTES);
  }

  unwrap(wrapped: Buffer): Buffer {
    const decipher = createDecipheriv('id-aes256-wrap', this.kek, INITIAL_VALUE);
    try {
      return Buffer.concat([decipher.update(wrapped), decipher.final()]);
    } catch {
      throw new VaultSetupError(
        'A secret of the vault does not open with this key-encryption key: VAULT_KEK_FILE must name the one it was wrapped with',
      );
    }
  }
}

/** Reads a key-encryption key: 32 raw bytes, or 64 hexadecimal digits (a final line break is allowed). */
export async function readKek(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new VaultSetupError(`VAULT_KEK_FILE cannot be read (${error.code ?? 'unknown error'})`);
  });
  if (bytes.length === 32) return bytes;
  const text = bytes.toString('latin1').trim();
  bytes.fill(0);
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  throw new VaultSetupError('VAULT_KEK_FILE must hold 32 raw bytes or 64 hexadecimal digits');
}
