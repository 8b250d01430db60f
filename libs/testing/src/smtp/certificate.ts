import { createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';

const DAY_MS = 86_400_000;

/** A certificate and its key, both PEM. */
export interface CertificateAndKey {
  certificate: string;
  key: string;
}

export interface CertificateOptions {
  /** Days from now on, before and after: `{ from: -10, until: -1 }` has expired. */
  from?: number;
  until?: number;
  /** May issue others. */
  authority?: boolean;
  /** Who signs; nobody: it signs itself. */
  issuer?: CertificateAndKey & { name: string };
  /** The key it is for, PEM; none: a new one. */
  key?: string;
}

/**
 * A certificate (RFC 5280) for a P-256 key, for these names and IPv4 addresses. Node makes keys and signatures, but no certificates;
 * nobody issues any for loopback, nor expired ones.
 */
export function makeCertificate(names: readonly string[], options: CertificateOptions = {}): CertificateAndKey {
  const { from = -1, until = 825, authority = false, issuer } = options;
  const key = options.key ?? newKey();
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const ecdsaWithSha256 = sequence(oid('06082a8648ce3d040302'));
  const subject = names[0] ?? 'localhost';
  const altNames = names.map((one) =>
    isIPv4(one) ? der(0x87, Buffer.from(one.split('.').map(Number))) : der(0x82, Buffer.from(one)),
  );
  const constraints = sequence(
    oid('0603551d13'),
    der(0x01, Buffer.from([0xff])),
    der(0x04, authority ? sequence(der(0x01, Buffer.from([0xff]))) : sequence()),
  );
  const subjectAltName = sequence(oid('0603551d11'), der(0x04, sequence(...altNames)));
  const now = Date.now();
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    // Positive, and never two of one issuer alike.
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ecdsaWithSha256,
    commonName(issuer?.name ?? subject),
    sequence(time(now + from * DAY_MS), time(now + until * DAY_MS)),
    commonName(subject),
    spki,
    der(0xa3, sequence(constraints, subjectAltName)),
  );
  const signature = sign('sha256', content, issuer?.key ?? key);
  const whole = sequence(content, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return { certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`, key };
}

/** One that signs itself, and may sign others: TLS where nobody issues certificates, on loopback. */
export const selfSignedCertificate = (names: readonly string[], days = 825): CertificateAndKey =>
  makeCertificate(names, { until: days, authority: true });

/** A certification authority that issues what a test needs. */
export function certificateAuthority(name: string): CertificateAndKey & {
  issue(names: readonly string[], options?: Omit<CertificateOptions, 'issuer'>): CertificateAndKey;
} {
  const own = makeCertificate([name], { authority: true });
  return { ...own, issue: (names, options) => makeCertificate(names, { ...options, issuer: { ...own, name } }) };
}

/** The same in two files of a folder, made once: whoever trusts the certificate can go on doing so. */
export function certificateFiles(folder: string): { certificateFile: string; keyFile: string } {
  const [certificateFile, keyFile] = [join(folder, 'smtp.pem'), join(folder, 'smtp.key')] as const;
  if (!existsSync(certificateFile)) {
    const { certificate, key } = selfSignedCertificate(['localhost', '127.0.0.1']);
    writeFileSync(keyFile, key, { mode: 0o600 });
    writeFileSync(certificateFile, certificate);
  }
  return { certificateFile, keyFile };
}

function newKey(): string {
  const { privateKey }: { privateKey: KeyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const set = (...parts: readonly Buffer[]): Buffer => der(0x31, Buffer.concat(parts));
const oid = (hex: string): Buffer => Buffer.from(hex, 'hex');
const commonName = (name: string): Buffer => sequence(set(sequence(oid('0603550403'), der(0x0c, Buffer.from(name)))));
/** UTCTime, whose years end in 2049. */
const time = (at: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(at).toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));
