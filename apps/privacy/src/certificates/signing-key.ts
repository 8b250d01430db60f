import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StartupError } from '@lethe/service';
import { calculateJwkThumbprint } from 'jose';

/** An Ed25519 key pair that signs certificates. */
export interface SigningKey {
  /** RFC 7638 thumbprint: the same key has the same name everywhere. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public key as in a JWK (RFC 8037 §2): 32 bytes, base64url. */
  readonly x: string;
}

export async function readSigningKey(file: string): Promise<SigningKey> {
  let privateKey: KeyObject | undefined;
  try {
    privateKey = createPrivateKey(readFileSync(file, 'utf8'));
  } catch {
    // Told below: the reason could quote the file.
  }
  if (privateKey?.asymmetricKeyType !== 'ed25519') {
    throw new StartupError(
      'CERTIFICATE_PRIVATE_KEY_FILE names a file that cannot be read or holds no Ed25519 key (PKCS#8, PEM).',
    );
  }
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { kid: await thumbprint(x), privateKey, x };
}

export const thumbprint = (x: string): Promise<string> => calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x });
