import { mkdtempSync, rmSync, symlinkSync, writeFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCertificate } from '@lethe/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '../logging/log.ts';
import { CertificateFiles, type Certificate } from './certificate-files.ts';

let folder: string;
let files: CertificateFiles | undefined;
let lines: Record<string, unknown>[];
const made = [selfSignedCertificate(['one.example']), selfSignedCertificate(['two.example'])] as const;

function write(certificate: string | undefined, key?: string): void {
  if (certificate !== undefined) writeFileSync(join(folder, 'cert.pem'), certificate);
  if (key !== undefined) writeFileSync(join(folder, 'key.pem'), key);
}

function open(at = folder): CertificateFiles {
  lines = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLog({ service: 'test', destination });
  const [certFile, keyFile] = [join(at, 'cert.pem'), join(at, 'key.pem')];
  return new CertificateFiles({ certFile, keyFile, everyMs: 5, hint: 'name a certificate', log });
}

function follow(at?: string): Certificate[] {
  const changes: Certificate[] = [];
  files = open(at);
  files.follow((certificate) => void changes.push(certificate));
  return changes;
}

const events = (name: string) => lines.filter(({ event }) => event === name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-tls-'));
  write(made[0].certificate, made[0].key);
});
afterEach(async () => {
  await files?.stop();
  rmSync(folder, { recursive: true });
});

it('takes a renewed certificate once both files are there', async () => {
  const changes = follow();
  write(made[1].certificate);
  await vi.waitFor(() => expect(events('tls.certificate-refused')).toHaveLength(1));
  expect(changes).toEqual([]);
  expect(String(files?.current.cert)).toBe(made[0].certificate);
  write(undefined, made[1].key);
  await vi.waitFor(() => expect(changes).toHaveLength(1));
  expect(String(changes[0]?.cert)).toBe(made[1].certificate);
  expect(events('tls.certificate-changed')).toHaveLength(1);
  expect(events('tls.certificate-refused')).toHaveLength(1);
});

it.each([
  ['what is no certificate', () => write('nonsense')],
  ['nothing', () => write('')],
  ['a file that is gone', () => rmSync(join(folder, 'key.pem'))],
])('keeps the old one for %s, says so, and quotes nothing', async (_, spoil) => {
  const changes = follow();
  spoil();
  await vi.waitFor(() => expect(events('tls.certificate-refused').length).toBeGreaterThan(0));
  expect(changes).toEqual([]);
  expect(JSON.stringify(lines)).not.toMatch(/nonsense|BEGIN/);
  write(made[1].certificate, made[1].key);
  await vi.waitFor(() => expect(changes).toHaveLength(1));
});

it('sees through a link that is exchanged, as Kubernetes does', async () => {
  const [old, next, link] = ['old', 'next', 'link'].map((name) => join(folder, name)) as [string, string, string];
  for (const [at, one] of [
    [old, made[0]],
    [next, made[1]],
  ] as const) {
    rmSync(at, { recursive: true, force: true });
    const inside = mkdtempSync(at);
    writeFileSync(join(inside, 'cert.pem'), one.certificate);
    writeFileSync(join(inside, 'key.pem'), one.key);
    symlinkSync(inside, `${link}${at === old ? '' : '.new'}`);
  }
  const changes = follow(link);
  renameSync(`${link}.new`, link);
  await vi.waitFor(() => expect(String(changes[0]?.cert)).toBe(made[1].certificate));
});

it('does not start without a usable pair, and says what to do', () => {
  write(made[0].certificate, made[1].key);
  expect(() => open()).toThrow('name a certificate');
  rmSync(join(folder, 'cert.pem'));
  expect(() => open()).toThrow('name a certificate');
});
