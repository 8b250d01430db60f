import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Body, Controller, Get, Inject, Module, Post } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Clock } from '../clock/clock.ts';
import { defineConfig } from '../config/define-config.ts';
import { CONFIG } from '../config/load-config.ts';
import { ApiError } from '../errors/api-error.ts';
import { HealthRegistry } from '../health/health-registry.ts';
import { Caller } from '../identity/identity.guard.ts';
import { IdentitySigner } from '../identity/identity-signer.ts';
import type { Identity } from '../identity/identity.ts';
import { Public } from '../identity/public.decorator.ts';
import { createLog, Log } from '../logging/log.ts';
import { createService } from './create-service.ts';
import type { CreatedService } from './create-service.ts';

const config = defineConfig({ GREETING: z.string().default('hello').describe('What to say') });
const bodySchema = z.object({ to: z.string().max(5), nested: z.object({ count: z.number() }).optional() });

@Controller('things')
class ThingsController {
  constructor(
    @Inject(CONFIG) private readonly settings: z.infer<typeof config>,
    private readonly log: Log,
  ) {}

  @Get('mine')
  mine(@Caller() caller: Identity): object {
    this.log.debug('things.read', { accountId: caller.account });
    return { caller, greeting: this.settings.GREETING };
  }

  @Public()
  @Post()
  create(@Body({ schema: bodySchema }) body: z.infer<typeof bodySchema>): object {
    return { length: body.to.length };
  }

  @Public()
  @Get('broken')
  broken(): never {
    throw new Error('jane@example.org was not found');
  }

  @Public()
  @Get('away')
  away(): never {
    throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  }

  @Public()
  @Get('later')
  later(): never {
    throw new ApiError(503, 'The outbox is full', { retryAfterSeconds: 7 });
  }

  @Public()
  @Get('parsed')
  parsed(): object {
    return z.object({ limit: z.number() }).parse({ limit: 'jane@example.org' });
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

describe('a service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-service-'));
  const keyFile = join(folder, 'public.pem');
  let service: CreatedService;
  let signer: IdentitySigner;
  let logged = '';

  beforeAll(async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
    signer = new IdentitySigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), new Clock());
    service = await createService(
      { name: 'things', module: ThingsModule, config },
      {
        environment: { PORT: '0', IDENTITY_PUBLIC_KEY_FILE: keyFile, BODY_LIMIT_BYTES: '200' },
        log: createLog({
          service: 'things',
          level: 'debug',
          destination: { write: (line) => (logged += line) },
        }),
      },
    );
  });

  afterAll(async () => {
    await service.app.close();
    rmSync(folder, { recursive: true });
  });

  async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS', url: string, extra: object = {}) {
    const answer = await service.app.inject({ method, url, ...extra });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    return { status: answer.statusCode, headers: answer.headers, body: answer.json<Record<string, unknown>>() };
  }

  it('knows its caller by the identity the gateway signed', async () => {
    const token = await signer.sign('things', { account: 'a1', scopes: ['read'], keyId: 'k1' });
    const { status, body, headers } = await call('GET', '/things/mine', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      greeting: 'hello',
      caller: { account: 'a1', scopes: ['read'], keyId: 'k1', requestId: headers['x-request-id'] },
    });
  });

  it.each([undefined, 'Basic YXBpOng=', 'Bearer noise', 'Bearer '])('answers 401 to %s', async (authorization) => {
    const { status, body } = await call('GET', '/things/mine', authorization ? { headers: { authorization } } : {});
    expect(status).toBe(401);
    expect(body['message']).toEqual(expect.any(String));
  });

  it('answers 401 to an identity for another service', async () => {
    const token = await signer.sign('events', { account: 'a1', scopes: [], keyId: 'k1' });
    const { status } = await call('GET', '/things/mine', { headers: { authorization: `Bearer ${token}` } });
    expect(status).toBe(401);
  });

  it('names the field that does not fit, not what was sent', async () => {
    const { status, body } = await call('POST', '/things', {
      payload: { to: 'ok', nested: { count: 'jane@example.org' } },
    });
    expect(status).toBe(400);
    expect(body['message']).toMatch(/^nested\.count: /);
    expect(JSON.stringify(body)).not.toContain('jane');
    const parsed = await call('GET', '/things/parsed');
    expect([parsed.status, parsed.body['message']]).toEqual([400, expect.stringMatching(/^limit: /)]);
  });

  it.each([
    ['an unknown route', 'GET', '/v3/jane@example.org', {}, 404],
    ['a path that cannot be decoded', 'GET', '/things/%zzjane', {}, 400],
    ['malformed JSON', 'POST', '/things', { payload: '{jane', headers: { 'content-type': 'application/json' } }, 400],
    ['a content type nobody reads', 'POST', '/things', { payload: 'jane', headers: { 'content-type': 'a/b' } }, 415],
    ['a body over its limit', 'POST', '/things', { payload: { to: 'jane'.repeat(100) } }, 413],
  ] as const)('answers %s with a status and a message of its own', async (_, method, url, extra, expected) => {
    const { status, body } = await call(method, url, extra);
    expect([status, typeof body['message']]).toEqual([expected, 'string']);
    expect(JSON.stringify(body)).not.toContain('jane');
  });

  it('answers another method of a path that exists with 405 and what is allowed, and knows it by its parameters', async () => {
    const other = await call('DELETE', '/things?of=jane');
    expect([other.status, other.headers['allow'], other.body]).toEqual([
      405,
      'POST',
      { message: 'Method not allowed' },
    ]);
    expect((await call('PUT', '/things/mine')).headers['allow']).toBe('GET, HEAD');
    expect((await call('OPTIONS', '/things/mine')).status).toBe(405);
    expect((await call('DELETE', '/things/unknown')).status).toBe(404);
  });

  it('answers an unexpected error with an id that leads to a redacted log line', async () => {
    const { status, body } = await call('GET', '/things/broken');
    const errorId = /Quote (\S+) when/.exec(String(body['message']))?.[1];
    expect(status).toBe(500);
    expect(logged).toContain(`"errorId":"${errorId}"`);
    expect(logged).not.toContain('jane');
  });

  it('answers 503 with Retry-After when a store is away, or when told to', async () => {
    const away = await call('GET', '/things/away');
    expect([away.status, away.headers['retry-after']]).toEqual([503, '1']);
    const later = await call('GET', '/things/later');
    expect([later.status, later.headers['retry-after'], later.body]).toEqual([
      503,
      '7',
      { message: 'The outbox is full' },
    ]);
  });

  it('takes over an opaque request id, and only such a one', async () => {
    const given = '0190a0c2-7b6a-7e63-8f3c-0123456789ab';
    const kept = await call('GET', '/health/live', { headers: { 'x-request-id': given } });
    expect(kept.headers['x-request-id']).toBe(given);
    const replaced = await call('GET', '/health/live', { headers: { 'x-request-id': 'jane@example.org' } });
    expect(replaced.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('tells whether it is ready, to everyone, and does not log being asked', async () => {
    const before = logged;
    const starting = await call('GET', '/health/ready');
    expect([starting.status, starting.body]).toEqual([503, { ready: false, notReady: { process: 'starting' } }]);
    service.app.get(HealthRegistry).markStarted();
    expect((await call('GET', '/health/ready')).status).toBe(200);
    expect((await call('GET', '/health/live')).body).toEqual({ live: true });
    expect(logged).toBe(before);
  });

  it('logs requests by route template', () => {
    expect(logged).toContain('"route":"/things/mine"');
    expect(logged).not.toContain('jane');
  });
});
