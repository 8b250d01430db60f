import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const FIXTURE = fileURLToPath(new URL('fixtures/probe.mjs', import.meta.url));

interface Probe {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
}

const folder = mkdtempSync(join(tmpdir(), 'lethe-probe-'));
const started: ChildProcess[] = [];

beforeAll(() => {
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
});

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function start(environment: Record<string, string> = {}, flags: string[] = []): Probe {
  const child = spawn(process.execPath, [...flags, FIXTURE], {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      IDENTITY_PRIVATE_KEY_FILE: join(folder, 'key.pem'),
      SHUTDOWN_DRAIN_MS: '200',
      ...environment,
    },
  });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return { child, output: () => output, ended };
}

async function until<T>(what: string, check: () => T | undefined | false): Promise<T> {
  const deadline = Date.now() + 50_000;
  for (;;) {
    const value = check();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`Not within 50 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function origin(probe: Probe): Promise<string> {
  return until('listening', () => /"origin":"([^"]+)"/.exec(probe.output())?.[1]);
}

async function readiness(base: string): Promise<number> {
  return (await fetch(`${base}/health/ready`, { headers: { connection: 'close' } })).status;
}

describe('a service process', () => {
  it('on SIGTERM stops being ready at once, finishes what runs, then stops in order', async () => {
    const probe = start();
    const base = await origin(probe);
    expect(await readiness(base)).toBe(200);
    const slow = fetch(`${base}/slow`);
    await until('the slow request', () => probe.output().includes('slow-began'));
    probe.child.kill('SIGTERM');
    await until('the stop', () => probe.output().includes('service.stopping'));
    expect(await readiness(base)).toBe(503);
    expect(await (await slow).json()).toEqual({ done: true });
    expect(await probe.ended).toBe(0);
    expect(probe.output()).toMatch(/consumers-stop[^]*producers-stop[^]*pools-stop[^]*service\.stopped/);
  });

  it('is cut off when its time to stop is over', async () => {
    const probe = start({ PROBE: 'hanging', SHUTDOWN_GRACE_MS: '600' });
    await origin(probe);
    probe.child.kill('SIGINT');
    expect(await probe.ended).toBe(1);
    expect(probe.output()).toContain('service.cut-off');
  });

  it.each([
    ['lacks configuration', { PORT: '' }, /did not start\..*\n\s+PORT: missing/],
    ['has no key', { IDENTITY_PRIVATE_KEY_FILE: '/nowhere' }, /IDENTITY_PRIVATE_KEY_FILE names a file/],
    ['misses a store', { PROBE: 'away' }, /cannot be used \(ECONNREFUSED at 127\.0\.0\.1:5432\)/],
  ] as const)('that %s says so without a stack trace and exits 1', async (_, environment, text) => {
    const probe = start(environment);
    expect(await probe.ended).toBe(1);
    expect(probe.output()).toMatch(text);
    expect(probe.output()).not.toMatch(/^\s+at /m);
  });

  it('that finds its port taken says which', async () => {
    const port = new URL(await origin(start())).port;
    const second = start({ PORT: port });
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`Port ${port} on 127.0.0.1 is taken`);
    expect(second.output()).not.toMatch(/^\s+at /m);
  });

  it('that fails for a reason nobody expected says where, and shows no address', async () => {
    const probe = start({ PROBE: 'broken' });
    expect(await probe.ended).toBe(1);
    expect(probe.output()).toMatch(/TypeError \(programming\): .*\n\s+at probe\.mjs:\d+/);
    expect(probe.output()).not.toContain('jane');
  });

  it('ends on a rejection nobody handled, and logs it without its text', async () => {
    const probe = start({ PROBE: 'rejecting' });
    expect(await probe.ended).toBe(1);
    expect(probe.output()).toContain('process.unhandled-rejection');
    expect(probe.output()).not.toContain('jane');
  });

  it('exports traces and metrics that hold no address, up to its stop', async () => {
    const received = new Map<string, string>();
    const collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = String(request.url);
        received.set(path, (received.get(path) ?? '') + Buffer.concat(chunks).toString('latin1'));
        response.end();
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    try {
      const probe = start(
        {
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
          OTEL_SERVICE_NAME: 'probe',
          OTEL_TRACES_SAMPLER_ARG: '1',
        },
        ['--import', '@lethe/service/otel'],
      );
      const base = await origin(probe);
      await fetch(`${base}/slow?to=jane@example.org`, {
        headers: { 'user-agent': 'jane@example.org', tracestate: 'who=jane' },
      });
      await fetch(`${base}/nobody/jane%40example.org`);
      probe.child.kill('SIGTERM');
      expect(await probe.ended).toBe(0);
      expect(received.get('/v1/traces')).toContain('GET /slow');
      expect(received.get('/v1/metrics')).toContain('lethe.http.server.duration');
      expect([...received.values()].join('')).not.toMatch(/jane|127\.0\.0\.1/);
    } finally {
      collector.close();
    }
  });
});
