import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { composeFaults } from './compose.mjs';
import { services } from './services.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lethe-compose-'));
const file = join(root, 'docker-compose.yml');

interface Service {
  image: string;
  ports?: string[];
  mem_limit?: string;
  environment?: Record<string, string>;
  depends_on: Record<string, unknown>;
  network_mode?: string;
}
interface Compose {
  services: Record<string, Service>;
}
const read = (): Compose => parse(readFileSync(file, 'utf8'), { merge: true }) as Compose;
const variables = (app: string): Record<string, string> =>
  parseEnv(readFileSync(join(folder, `${app}.env`), 'utf8')) as Record<string, string>;
const given = (): Record<string, string[]> =>
  Object.fromEntries(Object.keys(services).map((app) => [app, Object.keys(variables(app))]));

beforeAll(() => {
  const script = join(root, 'tools/docker/prepare.ts');
  const run = spawnSync(process.execPath, ['--conditions=@lethe/source', script, folder], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

it('starts everything, bounded, reachable from this machine alone', () => {
  expect(composeFaults(read(), given(), services)).toEqual([]);
});

it('gives every service the addresses of the containers', () => {
  for (const app of Object.keys(services)) {
    const { HOST, ...rest } = variables(app);
    expect(HOST).toBe('0.0.0.0');
    const loopback = Object.entries(rest).filter(([, value]) => value.includes('127.0.0.1'));
    // The world is on the loopback that delivery shares; PUBLIC_URL is for people.
    expect(loopback.map(([name]) => name).filter((name) => !['PUBLIC_URL', 'DNS_SERVERS'].includes(name))).toEqual([]);
  }
});

it('gives ingest and delivery the bucket of the compose file, a key each, where bodies are kept there', () => {
  const prepared = mkdtempSync(join(tmpdir(), 'lethe-compose-'));
  try {
    const script = join(root, 'tools/docker/prepare.ts');
    const run = spawnSync(
      process.execPath,
      ['--conditions=@lethe/source', script, prepared, '--with', 'BODY_STORE=s3'],
      { encoding: 'utf8' },
    );
    expect(run.status, run.stderr).toBe(0);
    const variablesOf = (app: string) => parseEnv(readFileSync(join(prepared, `${app}.env`), 'utf8'));
    const { identities } = JSON.parse(readFileSync(join(prepared, 'bucket/s3.json'), 'utf8')) as {
      identities: { credentials: { accessKey: string; secretKey: string }[] }[];
    };
    const keys = identities.flatMap(({ credentials }) => credentials);
    for (const app of ['ingest', 'delivery']) {
      const given = variablesOf(app);
      expect(given).toMatchObject({ BODY_STORE: 's3', BODIES_S3_ENDPOINT: 'http://bucket:8333' });
      expect(keys).toContainEqual({
        accessKey: given['BODIES_S3_ACCESS_KEY_ID'],
        secretKey: given['BODIES_S3_SECRET_ACCESS_KEY'],
      });
    }
    expect(variablesOf('ingest')['BODIES_S3_SECRET_ACCESS_KEY']).not.toBe(
      variablesOf('delivery')['BODIES_S3_SECRET_ACCESS_KEY'],
    );
    expect(variablesOf('events')).not.toHaveProperty('BODIES_S3_SECRET_ACCESS_KEY');
  } finally {
    rmSync(prepared, { recursive: true });
  }
}, 60_000);

type Plant = (compose: Compose) => void;
const service = (compose: Compose, name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};

it.each<[string, Plant, string]>([
  ['a port open to all', (c) => (service(c, 'gateway').ports = ['8080:8080']), 'gateway: ports have to be bound'],
  ['a service left out', (c) => delete c.services['privacy'], 'privacy is missing'],
  [
    'a version of its own',
    (c) => (service(c, 'kafka').image = 'apache/kafka:4.3.0'),
    'kafka: the image needs a version',
  ],
  [
    'an unknown variable',
    (c) => (service(c, 'ingest').environment = { DATABSE_URL: '' }),
    'DATABSE_URL is not in the config',
  ],
  ['no limit', (c) => delete service(c, 'events').mem_limit, 'events: mem_limit is missing'],
  [
    'a wait for nobody',
    (c) => (service(c, 'events').depends_on['elastic'] = {}),
    'waits for elastic, which is not there',
  ],
])('names %s', (_, plant, fault) => {
  const compose = read();
  plant(compose);
  expect(composeFaults(compose, given(), services).join('\n')).toContain(fault);
});

it('names a required variable that the env file lacks', () => {
  const lacking = { ...given(), ingest: given()['ingest']?.filter((name) => name !== 'DESTINATION_KEY') };
  expect(composeFaults(read(), lacking, services)).toEqual(['ingest: DESTINATION_KEY is required and not given']);
});

const readers = [
  ['docker', ['compose']],
  ['docker-compose', []],
] as const;
const reader = readers.find(([command, args]) => spawnSync(command, [...args, 'version']).status === 0);

describe.skipIf(!reader)(
  'docker-compose.yml, read by Compose (needs docker compose or docker-compose)',
  { timeout: 60_000 },
  () => {
    const config = (env: string) => {
      const [command, args] = reader ?? ['', []];
      return spawnSync(command, [...args, '--env-file', env, '-f', file, 'config', '--quiet'], { encoding: 'utf8' });
    };

    it('is valid', () => {
      const run = config(join(folder, 'compose.env'));
      expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
    });

    it('says what to do first when nothing is prepared', () => {
      const nothing = join(folder, 'nothing.env');
      writeFileSync(nothing, '');
      const run = config(nothing);
      expect(run.status).not.toBe(0);
      expect(run.stderr).toContain('run tools/docker/prepare.ts first');
    });
  },
);
