import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePorts } from '@lethe/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from './paths.mjs';

const folder = mkdtempSync(join(tmpdir(), 'lethe-docker-'));
const data = join(folder, 'data');
const calls = join(folder, 'calls');
const file = join(data, 'running.json');
/** Stands for the containers' gateway on its published port. */
let gateway: Server;
let port: number;

/** Records what it is asked, and answers that all went well. */
function standIn(name: string, body: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\necho "${name} $*" >> '${calls}'\n${body}\n`);
  chmodSync(join(folder, 'bin', name), 0o755);
}

beforeAll(async () => {
  ({ port } = await freePorts('port'));
  gateway = createServer((_, response) => response.end('{}')).listen(port, '127.0.0.1');
  mkdirSync(join(data, 'compose'), { recursive: true });
  const login = { user: 'smtp@demo.example', password: 'p' };
  const demo = { login, apiKey: 'key-a', privacyKey: 'key-p', domain: 'demo.example', accountId: '1' };
  writeFileSync(join(data, 'compose', 'demo.json'), JSON.stringify(demo));
});
afterAll(() => {
  gateway.close();
  rmSync(folder, { recursive: true });
});

interface Run {
  code: number | null;
  output: string;
}

/** Runs until it has said `words`, then interrupts it. `during` looks at it before. */
function run(script: string, args: string[], words: string, during: () => void = () => {}): Promise<Run> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    LETHE_DATA: data,
    LETHE_PORT: String(port),
    PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter),
  };
  delete env['LETHE_ENGINE'];
  const child = spawn(process.execPath, [join(root, 'tools/dev', script), ...args], { env });
  let output = '';
  const keep = (chunk: Buffer): void => {
    const before = output.includes(words);
    output += chunk.toString();
    if (before || !output.includes(words)) return;
    during();
    child.kill('SIGTERM');
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

const WITH = ['--with', 'OUTBOUND_ROUTE=smtp://192.0.2.1:25', '--with', 'log.flush.interval.messages=1'];

it('starts the containers with Compose, waits for the door, and takes them down', { timeout: 60_000 }, async () => {
  standIn('docker', 'true');
  const { code, output } = await run('start.mjs', WITH, 'ready; Ctrl-C', () => {
    const running = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    expect(running).toMatchObject({ gateway: `http://127.0.0.1:${port}`, apiKey: 'key-a', data: [] });
    expect(running['pids']).toEqual({ start: expect.any(Number) as number });
  });
  expect({ code, output }).toMatchObject({
    code: 0,
    output: expect.stringContaining('everything has stopped') as string,
  });
  expect(existsSync(file)).toBe(false);
  const env = join(data, 'compose', 'compose.env');
  const compose = `docker compose --project-name lethe-${port} --env-file ${env} --file ${join(root, 'docker-compose.yml')}`;
  const services = 'gateway accounts ingest delivery events suppression privacy';
  expect(
    readFileSync(calls, 'utf8')
      .trim()
      .split('\n')
      .filter((call) => !/(info|version)/.test(call)),
  ).toEqual([`${compose} up --build --detach --wait world ${services}`, `${compose} down --remove-orphans`]);
  expect(readFileSync(env, 'utf8')).toContain(`\nLETHE_PORT=${port}\nLETHE_KAFKA_PORT=${port + 20}\n`);
  const delivery = readFileSync(join(data, 'compose', 'delivery.env'), 'utf8');
  expect(delivery).toContain('OUTBOUND_ROUTE=smtp://192.0.2.1:25\n');
  expect(readFileSync(join(data, 'compose', 'kafka.env'), 'utf8')).toContain(
    'KAFKA_SETTINGS=log.flush.interval.messages=1\n',
  );
});

it('takes version 1 of Compose where the plugin is missing', { timeout: 60_000 }, async () => {
  rmSync(calls);
  standIn('docker', '[ "$1" != compose ]');
  standIn('docker-compose', 'true');
  expect(await run('start.mjs', WITH, 'ready; Ctrl-C')).toMatchObject({ code: 0 });
  const asked = readFileSync(calls, 'utf8');
  expect(asked).toMatch(/^docker-compose .* up --build --detach world gateway /m);
  expect(asked).toMatch(/^docker-compose .* down --remove-orphans$/m);
});

it('says that containers could not be started, and takes down what was', { timeout: 60_000 }, async () => {
  rmSync(calls);
  standIn('docker', 'case "$*" in *" up "*) exit 1;; esac');
  const { code, output } = await run('start.mjs', WITH, 'never');
  expect(code).toBe(1);
  expect(output).toContain('`docker … up` failed; its own words are above.');
  expect(output).not.toMatch(/^ +at /m);
  expect(readFileSync(calls, 'utf8')).toContain(' down --remove-orphans');
});

it('removes the volumes on reset', { timeout: 60_000 }, async () => {
  rmSync(calls);
  standIn('docker', 'true');
  expect(await run('reset.mjs', [], 'never')).toMatchObject({ code: 0 });
  expect(readFileSync(calls, 'utf8')).toContain(' down --volumes --remove-orphans');
  expect(existsSync(data)).toBe(false);
});
