import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonWith } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signCertificate, type KnownKey } from './certificate.jws.ts';
import { certificatePayload } from './certificate.payload.ts';
import { completedRequest, SALT } from '../../test/support/completed-request.ts';
import { jwks } from './jwks.ts';
import { readSigningKey } from './signing-key.ts';

const python = await pythonWith('jwt-2.15', ['pyjwt[crypto]>=2.10,<3']);
/** The lines of the page, as they stand there. */
const page = readFileSync(fileURLToPath(new URL('../../../../docs/verify-certificate.md', import.meta.url)), 'utf8');
const script = /```python\n(.+?)```/s.exec(page)?.[1] ?? '';
const now = Date.now();

describe.skipIf(python === null)(
  'a certificate in the hands of somebody with Python',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-verify-'));
    const file = (name: string, text: string | Buffer): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const scriptFile = file('verify.py', script);
    let certificate: string;
    let ours: KnownKey;
    const payload = certificatePayload(
      completedRequest,
      { origin: 'https://mail.example.net', software: { name: 'lethe', version: '0.1.0' } },
      now,
    );

    beforeAll(async () => {
      const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
      const key = await readSigningKey(file('key.pem', pem));
      certificate = await signCertificate(payload, key);
      ours = { kid: key.kid, x: key.x, validFrom: new Date(now - 1_000), retiredAt: null };
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    function run(text: string, keys: readonly KnownKey[], ...person: string[]) {
      const args = [scriptFile, file('certificate.jws', `${text}\n`), file('jwks.json', JSON.stringify(jwks(keys)))];
      return new Promise<{ code: number; out: string; error: string }>((resolve) => {
        execFile(python ?? '', [...args, ...person], (failed, out, error) =>
          resolve({ code: failed ? Number(failed.code) : 0, out, error: error.trim() }),
        );
      });
    }

    it('is verified and read, offline', async () => {
      const { code, out, error } = await run(certificate, [ours]);
      expect([code, error]).toEqual([0, '']);
      expect(JSON.parse(out)).toEqual(payload);
    });

    it('is about the person whose salt one was told, in any case of the address, and about nobody else', async () => {
      const salt = SALT.toString('base64url');
      expect(await run(certificate, [ours], salt, 'Ana@Example.net')).toMatchObject({ code: 0 });
      const other = await run(certificate, [ours], salt, 'ben@example.net');
      expect(other).toMatchObject({ code: 1, error: 'about somebody else' });
    });

    it('was signed in the time of its key', async () => {
      expect(await run(certificate, [{ ...ours, retiredAt: new Date(now + 1_000) }])).toMatchObject({ code: 0 });
      const before = { ...ours, validFrom: new Date(now - 9e6), retiredAt: new Date(now - 8e6) };
      expect(await run(certificate, [before])).toMatchObject({ code: 1, error: 'issued when its key did not sign' });
    });

    it('is refused when a byte was changed, wherever that is', async () => {
      const [header = '', body = '', signature = ''] = certificate
        .split('.')
        .map((part) => Buffer.from(part, 'base64url').toString('latin1'));
      const flipped = (part: string, at: number) => {
        const bytes = Buffer.from(part, 'latin1');
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return bytes.toString('base64url');
      };
      const [h, b, s] = certificate.split('.');
      const changed = [
        `${flipped(header, header.indexOf('EdDSA'))}.${b}.${s}`,
        `${flipped(header, header.length - 3)}.${b}.${s}`,
        `${h}.${flipped(body, body.indexOf('12'))}.${s}`,
        `${h}.${flipped(body, body.length - 2)}.${s}`,
        `${h}.${b}.${flipped(signature, 0)}`,
        `${h}.${b}.${flipped(signature, 63)}`,
        // The same octets, spelled otherwise.
        certificate.slice(0, -1) + String.fromCharCode(certificate.charCodeAt(certificate.length - 1) + 1),
      ];
      for (const text of changed) {
        const { code, out } = await run(text, [ours]);
        expect([code, out]).toEqual([1, '']);
      }
      expect(await run(certificate, [])).toMatchObject({ code: 1, error: 'signed by a key that is not in the list' });
    });
  },
  120_000,
);
