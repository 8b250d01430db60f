import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { createLog, createService, StartupError } from '@lethe/service';
import { selfSignedCertificate, until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { GATEWAY, startSetting } from './setting.ts';
import type { Setting } from './setting.ts';

const folder = mkdtempSync(join(tmpdir(), 'lethe-tls-'));
const certFile = join(folder, 'tls.crt');
const keyFile = join(folder, 'tls.key');
let setting: Setting;
let logged = '';

/** A new pair in two files, told apart by its name. */
function issue(name: string): { cert: string; key: string } {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const { certificate, key } = selfSignedCertificate([name, 'localhost']);
  writeFileSync(files.cert, certificate);
  writeFileSync(files.key, key);
  return files;
}

beforeAll(async () => {
  const first = issue('first');
  renameSync(first.cert, certFile);
  renameSync(first.key, keyFile);
  setting = await startSetting(
    inject('stores'),
    { GATEWAY_TLS_CERT_FILE: certFile, GATEWAY_TLS_KEY_FILE: keyFile, GATEWAY_TLS_RELOAD_MS: '20' },
    createLog({ service: 'gateway', level: 'info', destination: { write: (line: string) => void (logged += line) } }),
  );
});
afterAll(async () => {
  await setting?.close();
  rmSync(folder, { recursive: true });
});

const port = (): number => Number(new URL(setting.gateway).port);

function ask(agent: Agent): Promise<{ status: number; message: string }> {
  const { hostname } = new URL(setting.gateway);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port: port(), path: '/nothing', agent, rejectUnauthorized: false }).end();
    sent.once('error', reject).once('response', (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, ...JSON.parse(body) }), reject);
    });
  });
}

/** The name in the certificate that a new connection gets to see. */
function shown(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port: port(), rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('TLS from files', () => {
  it('speaks HTTPS, of today’s versions alone, and no HTTP', async () => {
    expect(await ask(new Agent())).toEqual({ status: 404, message: 'Not found' });
    expect(await shown()).toBe('first');
    await expect(fetch(`http://127.0.0.1:${port()}/health`)).rejects.toThrow();
    const old = connect({
      host: '127.0.0.1',
      port: port(),
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    });
    await expect(
      new Promise((done, refuse) => void old.once('secureConnect', done).once('error', refuse)),
    ).rejects.toThrow();
  });

  it('takes a renewed certificate for new connections, and keeps those that are open', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<unknown>();
    agent.on('free', (socket: unknown) => sockets.add(socket));
    expect((await ask(agent)).status).toBe(404);
    const second = issue('second');
    renameSync(second.key, keyFile);
    renameSync(second.cert, certFile);
    expect(await until(async () => (await shown()) === 'second', 5_000, 20)).toBe(true);
    expect(logged).toContain('"tls.certificate-changed"');
    expect((await ask(agent)).status).toBe(404);
    expect(sockets.size).toBe(1);
    agent.destroy();
  });

  it.each([
    ['are no PEM', () => writeFileSync(certFile, 'no certificate')],
    ['belong to different pairs', () => renameSync(issue('stranger').cert, certFile)],
    ['are gone', () => rmSync(certFile)],
  ])('keeps the certificate it has while the files %s, says so, and takes the next good one', async (_, spoil) => {
    const before = logged.split('tls.certificate-refused').length;
    spoil();
    expect(await until(() => logged.split('tls.certificate-refused').length > before, 5_000, 20)).toBe(true);
    expect((await ask(new Agent())).status).toBe(404);
    const name = `next${before}`;
    const next = issue(name);
    expect(await shown()).not.toBe(name);
    renameSync(next.cert, certFile);
    renameSync(next.key, keyFile);
    expect(await until(async () => (await shown()) === name, 5_000, 20)).toBe(true);
    expect(logged).not.toContain('PRIVATE KEY');
  });
});

describe('a gateway does not start', () => {
  it.each([
    ['with one file alone', { GATEWAY_TLS_KEY_FILE: keyFile }, /belong together/],
    ['without its files', { GATEWAY_TLS_CERT_FILE: '/nowhere', GATEWAY_TLS_KEY_FILE: '/nowhere' }, /in PEM form/],
  ])('%s, and says what to do', async (_, files, message) => {
    const { GATEWAY_TLS_CERT_FILE: _cert, GATEWAY_TLS_KEY_FILE: _key, ...others } = setting.environment;
    const log = createLog({ service: 'gateway', level: 'silent' });
    const refusal: unknown = await createService(GATEWAY, { environment: { ...others, ...files }, log }).catch(
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(StartupError);
    expect((refusal as Error).message).toMatch(message);
  });
});
