import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The platform's own secrets: made once per data folder, mode 0600. */
export interface PlatformSecrets {
  readonly kekFile: string;
  readonly identityPrivateKeyFile: string;
  readonly identityPublicKeyFile: string;
  /** Signs certificates of erasures. */
  readonly certificatePrivateKeyFile: string;
  /** Key of the destination hash, hex. */
  readonly destinationKey: string;
  readonly operatorToken: string;
  readonly operatorTokenSha256: string;
}

export function platformSecrets(folder: string): PlatformSecrets {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = (name: string, make: () => string): string => {
    const path = join(folder, name);
    if (!existsSync(path)) writeFileSync(path, make(), { mode: 0o600 });
    return path;
  };
  const random = () => randomBytes(32).toString('hex');
  const text = (name: string, make: () => string): string => readFileSync(file(name, make), 'utf8').trim();
  const privateFile = join(folder, 'identity.key');
  const publicFile = join(folder, 'identity.pub');
  if (!existsSync(publicFile)) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
  }
  const operatorToken = text('operator-token', random);
  return {
    kekFile: file('vault.kek', random),
    identityPrivateKeyFile: privateFile,
    identityPublicKeyFile: publicFile,
    certificatePrivateKeyFile: file('certificate.key', () =>
      String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })),
    ),
    destinationKey: text('destination.key', random),
    operatorToken,
    operatorTokenSha256: createHash('sha256').update(operatorToken).digest('hex'),
  };
}
