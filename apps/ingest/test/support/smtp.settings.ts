import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCertificate } from '@lethe/testing';

/** Settings of SMTP on free ports, with a certificate of its own. `replace` writes another one. */
export function smtpSettings(): {
  settings: Record<string, string>;
  replace(certificate: string, key: string): void;
  remove(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-smtp-'));
  const replace = (certificate: string, key: string): void => {
    writeFileSync(join(folder, 'key'), key);
    writeFileSync(join(folder, 'cert'), certificate);
  };
  const { certificate, key } = selfSignedCertificate(['smtp.lethe.example']);
  replace(certificate, key);
  return {
    settings: {
      SMTP_PORT: '0',
      SMTP_TLS_PORT: '0',
      SMTP_TLS_CERT_FILE: join(folder, 'cert'),
      SMTP_TLS_KEY_FILE: join(folder, 'key'),
      SMTP_NAME: 'smtp.lethe.example',
      SMTP_TLS_RELOAD_MS: '50',
      SMTP_FAILED_LOGIN_MS: '0',
    },
    replace,
    remove: () => rmSync(folder, { recursive: true }),
  };
}
