import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseModule, databaseConfig, migrateDatabase } from '@lethe/database';
import { Clock, createLog, createService, defineConfig, IdentitySigner } from '@lethe/service';
import { createDatabase, type SuiteDatabase } from '@lethe/testing';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CertificateService } from '../src/certificates/certificate.service.ts';
import { CertificatesModule } from '../src/certificates/certificates.module.ts';
import { config } from '../src/config.ts';
import { MIGRATIONS } from '../src/migrations/migrations.ts';
import { completedRequest } from './support/completed-request.ts';

@Module({
  imports: [
    DatabaseModule.forService({ service: 'privacy', entities: [], migrations: MIGRATIONS }),
    CertificatesModule,
  ],
})
class Certificates {}

class TestClock extends Clock {
  time = Date.UTC(2026, 10, 28, 12);
  override now(): number {
    return this.time;
  }
}

const { PUBLIC_URL, CERTIFICATE_PRIVATE_KEY_FILE, BODY_LIMIT_BYTES } = config.shape;
const part = defineConfig({ ...databaseConfig, PUBLIC_URL, CERTIFICATE_PRIVATE_KEY_FILE, BODY_LIMIT_BYTES });

const folder = mkdtempSync(join(tmpdir(), 'lethe-certificates-'));
const clock = new TestClock();
const identity = generateKeyPairSync('ed25519');
const running: NestFastifyApplication[] = [];
let database: SuiteDatabase;

/** @returns the file of a new key. */
function newKey(name: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, name), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return join(folder, name);
}

async function start(keyFile: string): Promise<NestFastifyApplication> {
  const { app } = await createService(
    { name: 'privacy', module: Certificates, config: part },
    {
      environment: {
        PORT: '0',
        PUBLIC_URL: 'https://mail.example.net/some/path',
        DATABASE_URL: database.url,
        IDENTITY_PUBLIC_KEY_FILE: join(folder, 'identity.pub'),
        CERTIFICATE_PRIVATE_KEY_FILE: keyFile,
      },
      log: createLog({ service: 'privacy', level: 'silent' }),
      clock,
    },
  );
  running.push(app);
  return app;
}

const verify = async (app: NestFastifyApplication, body: unknown, known = true) => {
  const signer = new IdentitySigner(String(identity.privateKey.export({ type: 'pkcs8', format: 'pem' })), clock);
  const token = await signer.sign('privacy', { account: 'a', scopes: ['privacy:read'], keyId: 'k' });
  const response = await app.inject({
    method: 'POST',
    url: '/v1/privacy/certificates/verify',
    headers: { 'content-type': 'application/json', ...(known && { authorization: `Bearer ${token}` }) },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.statusCode, body: response.json() };
};

const keysOf = async (app: NestFastifyApplication) => {
  const response = await app.inject({ method: 'GET', url: '/.well-known/jwks.json' });
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toMatch(/^application\/jwk-set\+json/);
  expect(response.headers['cache-control']).toBe('public, max-age=300');
  return response.json().keys as Record<string, unknown>[];
};

beforeAll(async () => {
  writeFileSync(join(folder, 'identity.pub'), identity.publicKey.export({ type: 'spki', format: 'pem' }));
  database = await createDatabase(inject('stores'), 'privacy', `cert${randomBytes(4).toString('hex')}`);
  await migrateDatabase(database.url, MIGRATIONS);
});
afterAll(async () => {
  for (const app of running) await app.close();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

describe('certificates', () => {
  const first = newKey('first.key');
  let one: NestFastifyApplication;
  let other: NestFastifyApplication;
  let certificate: string;

  beforeAll(async () => {
    // Two replicas with the same key, started at once.
    [one, other] = await Promise.all([start(first), start(first)]);
    certificate = await one.get(CertificateService).issue(completedRequest);
  });

  it('of one replica are verified by another', async () => {
    const { status, body } = await verify(other, { certificate });
    expect(status).toBe(200);
    expect(body).toMatchObject({ valid: true, reason: null });
    expect(body.payload).toMatchObject({
      iss: 'https://mail.example.net',
      aud: completedRequest.accountId,
      jti: completedRequest.id,
      iat: clock.time / 1_000,
      software: { name: 'lethe', version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    });
  });

  it.each([
    ['an empty text', { certificate: '' }, 'malformed'],
    ['three dots', { certificate: '...' }, 'malformed'],
    ['a NUL', { certificate: 'a\u0000b' }, 'malformed'],
    ['four million characters', { certificate: 'a'.repeat(4_000_001) }, 'too-large'],
  ])('%s is not valid, and no error', async (_, body, reason) => {
    expect(await verify(one, body)).toEqual({ status: 200, body: { valid: false, reason, payload: null } });
  });

  it.each([
    ['no certificate', {}, 400, /^certificate: is missing/],
    ['a number', { certificate: 7 }, 400, /^certificate: /],
    ['one field too many', { certificate: '', more: 1 }, 400, /^more: /],
    ['no JSON', '{"certificate":', 400, /./],
    ['more than five megabytes', { certificate: 'a'.repeat(5_000_000) }, 413, /too large/],
  ])('%s is refused, naming what is wrong', async (_, body, status, message) => {
    const answer = await verify(one, body);
    expect(answer.status).toBe(status);
    expect(answer.body.message).toMatch(message);
  });

  it('are not verified for who has no identity; the keys are there for everybody', async () => {
    expect((await verify(one, { certificate }, false)).status).toBe(401);
    expect(await keysOf(other)).toEqual([expect.objectContaining({ alg: 'EdDSA', nbf: clock.time / 1_000 })]);
  });

  it('a new key retires the one before, whose certificates stay valid', async () => {
    clock.time += 86_400_000;
    const next = await start(newKey('next.key'));
    const [signing, retired, ...more] = await keysOf(one);
    expect(more).toEqual([]);
    expect(signing).not.toHaveProperty('exp');
    expect(retired).toMatchObject({ nbf: clock.time / 1_000 - 86_400, exp: clock.time / 1_000 });
    expect((await verify(next, { certificate })).body.valid).toBe(true);
    const later = await next.get(CertificateService).issue(completedRequest);
    expect((await verify(other, { certificate: later })).body).toMatchObject({ valid: true });
  });

  it('the retired key signs nothing more, and does not come back', async () => {
    await expect(one.get(CertificateService).issue(completedRequest)).rejects.toThrow(/another key signs by now/);
    await expect(start(first)).rejects.toThrow(/CERTIFICATE_PRIVATE_KEY_FILE holds a key that was replaced/);
  });
});
