import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOLDERS } from '@lethe/contracts';
import { CompactSign } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompletedRequest } from '../requests/completed-request.ts';
import { MAX_CERTIFICATE_CHARACTERS, signCertificate, verifyCertificate, type KnownKey } from './certificate.jws.ts';
import { certificatePayload } from './certificate.payload.ts';
import { completedRequest } from '../../test/support/completed-request.ts';
import { jwks } from './jwks.ts';
import { readSigningKey, thumbprint, type SigningKey } from './signing-key.ts';

const NOW = Date.UTC(2026, 10, 28, 12, 5);
const issuer = { origin: 'https://mail.example.net', software: { name: 'lethe', version: '0.1.0' } };
const payload = certificatePayload(completedRequest, issuer, NOW);

const folder = mkdtempSync(join(tmpdir(), 'lethe-certificate-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function newKey(): Promise<SigningKey> {
  const file = join(folder, 'key.pem');
  writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return readSigningKey(file);
}

let key: SigningKey;
let certificate: string;
beforeAll(async () => {
  key = await newKey();
  certificate = await signCertificate(payload, key);
});

const known = (more: Partial<KnownKey> = {}): KnownKey => ({
  kid: key.kid,
  x: key.x,
  validFrom: new Date(NOW - 1_000),
  retiredAt: null,
  ...more,
});
const verify = (text: string, ours: KnownKey = known()) =>
  verifyCertificate(text, async (kid) => (kid === ours.kid ? ours : undefined));

describe('a certificate', () => {
  it('says what was done, in every store', () => {
    expect(payload).toMatchObject({
      iss: 'https://mail.example.net',
      aud: completedRequest.accountId,
      iat: NOW / 1_000,
      jti: completedRequest.id,
      account: completedRequest.accountId,
      type: 'erasure',
      scope: { of: 'subjects', identifiers: 2, do_not_contact: 'default' },
      cut_off: '2026-11-28T12:01:00.000Z',
      keys_destroyed: { subjects: 2, content_keys: 2 },
      unreadable_at: '2026-11-28T12:03:00.000Z',
      expunged_at: '2026-11-28T12:04:00.000Z',
      kept: [{ what: 'body', count: 1, why: 'others-waiting', until: '2026-11-28T12:59:00.000Z' }],
      software: { name: 'lethe', version: '0.1.0' },
    });
    expect(payload.not_covered).toContain('mail that was already delivered');
    const lines = payload.stores.map(({ service, method, found, residual }) => [service, method, found, residual]);
    expect(lines).toContainEqual(['events', 'deleted', 12, 0]);
    expect(lines).toContainEqual(['events', 'rewritten', 1, 0]);
    expect(lines).toContainEqual(['ingest', 'rendered unreadable', 2, 0]);
    expect(lines).toContainEqual(['suppression', 'deleted', 0, 0]);
    expect(lines).toContainEqual(['privacy', 'rendered unreadable', null, null]);
    expect(payload.stores.map(({ store }) => store.split(':')[0])).toEqual(
      expect.arrayContaining(['kafka', 'postgresql', 'elasticsearch', 'vault']),
    );
  });

  it('names nobody', () => {
    expect(JSON.stringify(payload)).not.toMatch(/@|ana\b|example\.net(?!","aud)/);
  });

  it.each([
    ['something is left', { residual: { event: 1 } }, /events still has something/],
    ['a kind is unknown', { found: { draft: 1 } }, /counts "draft"/],
  ])('is not made while %s', (_, change, message) => {
    const holders = completedRequest.holders.map((one) => (one.service === 'events' ? { ...one, ...change } : one));
    const request = { ...completedRequest, holders } as CompletedRequest;
    expect(() => certificatePayload(request, issuer, NOW)).toThrow(message);
  });

  it('needs an answer of every holder', () => {
    const holders = completedRequest.holders.filter(({ service }) => service !== 'delivery');
    expect(completedRequest.holders.map(({ service }) => service).toSorted()).toEqual([...HOLDERS].toSorted());
    expect(() => certificatePayload({ ...completedRequest, holders }, issuer, NOW)).toThrow(/delivery/);
  });
});

describe('its signature', () => {
  it('is verified', async () => {
    expect(await verify(certificate)).toEqual({ valid: true, reason: null, payload });
  });

  it('does not fit when any one character is another', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let position = 0; position < certificate.length; position += 1) {
      const present = certificate.charAt(position);
      // The next of the alphabet differs in the lowest bit, where decoders may not look.
      const other = alphabet.charAt((alphabet.indexOf(present) + 1) % alphabet.length);
      const changed = certificate.slice(0, position) + other + certificate.slice(position + 1);
      const verdict = await verify(changed);
      expect([position, verdict.valid]).toEqual([position, false]);
    }
  }, 60_000);

  it.each([
    ['empty', '', 'malformed'],
    ['noise', 'no certificate', 'malformed'],
    ['an unsigned one', () => `${certificate.split('.').slice(0, 2).join('.')}.`, 'malformed'],
    ['one with a line break', () => `${certificate}\n`, 'malformed'],
    ['one with padding', () => `${certificate}==`, 'malformed'],
    ['one without its end', () => certificate.slice(0, -1), 'malformed'],
    ['a header that is no JSON', () => `bm8.${certificate.split('.').slice(1).join('.')}`, 'malformed'],
    ['too much', 'a'.repeat(MAX_CERTIFICATE_CHARACTERS + 1), 'too-large'],
  ])('%s is refused', async (_, text, reason) => {
    expect(await verify(typeof text === 'string' ? text : text())).toEqual({ valid: false, reason, payload: null });
  });

  it.each([
    ['another type', { alg: 'EdDSA', kid: 'ours', typ: 'JWT' }, 'not-a-certificate'],
    ['no key id', { alg: 'EdDSA', typ: 'lethe-erasure-certificate+jwt' }, 'not-a-certificate'],
    ['an odd key id', { alg: 'EdDSA', kid: "' or ''", typ: 'lethe-erasure-certificate+jwt' }, 'unknown-key'],
  ])('what our key signed with %s is refused', async (_, header, reason) => {
    const own = 'kid' in header && header.kid === 'ours' ? { ...header, kid: key.kid } : header;
    const text = await new CompactSign(Buffer.from(JSON.stringify(payload)))
      .setProtectedHeader(own)
      .sign(key.privateKey);
    expect((await verify(text)).reason).toBe(reason);
  });

  it('of another key is refused, also under the name of ours', async () => {
    const other = await newKey();
    expect((await verify(await signCertificate(payload, other))).reason).toBe('unknown-key');
    const forged = await signCertificate(payload, { ...other, kid: key.kid });
    expect((await verify(forged)).reason).toBe('bad-signature');
  });
});

describe('a key that was replaced', () => {
  it('still verifies what it signed in its time, and nothing later', async () => {
    expect((await verify(certificate, known({ retiredAt: new Date(NOW + 1_000) }))).valid).toBe(true);
    const before = known({ validFrom: new Date(NOW - 600_000), retiredAt: new Date(NOW - 300_000) });
    expect((await verify(certificate, before)).reason).toBe('outside-validity');
    expect((await verify(certificate, known({ validFrom: new Date(NOW + 300_000) }))).reason).toBe('outside-validity');
  });

  it('stays in the list, with its end', async () => {
    const { keys } = jwks([known(), known({ retiredAt: new Date(NOW + 1) })]);
    const common = { kty: 'OKP', crv: 'Ed25519', x: key.x, kid: key.kid, use: 'sig', alg: 'EdDSA' };
    expect(keys).toEqual([
      { ...common, nbf: NOW / 1_000 - 1 },
      { ...common, nbf: NOW / 1_000 - 1, exp: NOW / 1_000 + 1 },
    ]);
    expect(await thumbprint(key.x)).toBe(key.kid);
  });
});

it('a file that holds no Ed25519 key stops the start, and is not quoted', async () => {
  const file = join(folder, 'other.pem');
  for (const text of [
    'secret-looking text',
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  ]) {
    writeFileSync(file, text);
    await expect(readSigningKey(file)).rejects.toThrow(/CERTIFICATE_PRIVATE_KEY_FILE names a file/);
  }
  await expect(readSigningKey(join(folder, 'absent'))).rejects.toThrow(/CERTIFICATE_PRIVATE_KEY_FILE names a file/);
});
