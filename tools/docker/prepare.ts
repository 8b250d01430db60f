import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { SERVICES, type Service } from '@lethe/contracts';
import {
  certificateFiles,
  DATABASE_OWNERS,
  platformSecrets,
  serviceEnvironment,
  VAULT_OWNER,
  type Stores,
} from '@lethe/testing';
import { readArguments } from '../dev/arguments.ts';
import { basePort, demoPorts } from '../dev/ports.ts';

/**
 * `node --conditions=@lethe/source tools/docker/prepare.ts [folder] [--with KEY=VALUE]…`: makes the secrets of a Docker
 * installation once, and writes what docker-compose.yml reads: `compose.env` (versions, user, ports), one env file per store
 * and service, the keys. The variables of the services are the ones of a native start, with the addresses of the containers.
 * With BODY_STORE=s3 and no endpoint, the bucket is that of the compose file's own server (profile s3).
 */
const root = resolve(import.meta.dirname, '../..');
const given = process.argv.slice(2);
const named = given[0]?.startsWith('--') ? undefined : given.shift();
const folder = resolve(named ?? join(root, '.lethe', 'compose'));
const settings = readArguments(given);
const KEYS_INSIDE = '/run/lethe/keys';
/** The world's ports, which delivery reaches over the loopback they share; see tools/docker/world.ts. */
const WORLD = { dns: { host: '127.0.0.1', port: 5353 }, smtp: { host: '127.0.0.1', port: 2525 } };

/** Of ingest; an ordinary user binds no port below 1024 everywhere. */
const SUBMISSION = { port: 2587, tlsPort: 2465 };

mkdirSync(folder, { recursive: true, mode: 0o700 });
const passwords = readPasswords(join(folder, 'passwords.json'));
const keys = platformSecrets(join(folder, 'keys'));
const ports = demoPorts();
certificateFiles(join(folder, 'keys'));

write('kafka.env', {
  SERVICES: SERVICES.join(' '),
  ADMIN_PASSWORD: passwords.kafka['admin'],
  ...Object.fromEntries(SERVICES.map((service) => [`${service.toUpperCase()}_PASSWORD`, passwords.kafka[service]])),
  // Read by deploy/docker/kafka.sh.
  KAFKA_SETTINGS: Object.entries(settings.stores.kafka)
    .map(([name, value]) => `${name}=${value}`)
    .join(' '),
});
write('postgres.env', { POSTGRES_PASSWORD: passwords.postgres['postgres'] });
write('vault.env', { POSTGRES_PASSWORD: passwords.vault['postgres'] });
writeBucket(join(folder, 'bucket'), passwords.bucket);
for (const service of SERVICES) write(`${service}.env`, environment(service));
// Containers run as the owner of the key files, which nobody else can read; root gives its files to an ordinary user.
const ORDINARY = 1000;
const uid = process.getuid?.() || ORDINARY;
const gid = process.getgid?.() || ORDINARY;
write('compose.env', {
  // The versions a native start has too.
  ...parseEnv(readFileSync(join(root, 'deploy/stores/versions.env'), 'utf8')),
  LETHE_VERSION: (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version,
  LETHE_SECRETS: folder,
  LETHE_UID: uid,
  LETHE_GID: gid,
  LETHE_PORT: basePort(),
  LETHE_KAFKA_PORT: ports.stores.kafka,
  LETHE_ELASTICSEARCH_PORT: ports.stores.elasticsearch,
  LETHE_POSTGRES_PORT: ports.stores.postgres,
  LETHE_VAULT_PORT: ports.stores.vault,
  LETHE_WORLD_PORT: ports.worldHttp,
  LETHE_SUBMISSION_PORT: ports.submission,
  LETHE_SUBMISSION_TLS_PORT: ports.submissionTls,
});
if (process.getuid?.() === 0) giveTo(uid, gid, folder);
console.log(`Prepared. Start with:\n\n  docker compose --env-file ${join(folder, 'compose.env')} up --build\n`);

interface Passwords {
  /** Secrets of the access keys that ingest and delivery have for the bucket. */
  bucket: Record<string, string>;
  kafka: Record<string, string>;
  postgres: Record<string, string>;
  vault: Record<string, string>;
}

function readPasswords(file: string): Passwords {
  const former = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Passwords>) : {};
  const random = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, randomBytes(24).toString('hex')]));
  const made: Passwords = {
    bucket: random(['ingest', 'delivery']),
    kafka: random(['admin', ...SERVICES]),
    postgres: random(['postgres', ...DATABASE_OWNERS]),
    vault: random(['postgres', VAULT_OWNER, ...SERVICES]),
    ...former,
  };
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}

function environment(service: Service): Record<string, string> {
  const { PATH: _, ...variables } = serviceEnvironment(service, {
    repository: root,
    dir: folder,
    stores: containers(),
    secrets: {
      ...keys,
      kekFile: `${KEYS_INSIDE}/vault.kek`,
      identityPrivateKeyFile: `${KEYS_INSIDE}/identity.key`,
      identityPublicKeyFile: `${KEYS_INSIDE}/identity.pub`,
      certificatePrivateKeyFile: `${KEYS_INSIDE}/certificate.key`,
    },
    world: { ...WORLD, http: '', domain: '' },
    ports: Object.fromEntries(SERVICES.map((name) => [name, 8080])) as Record<Service, number>,
    settings: settings.services,
    submission: {
      ...SUBMISSION,
      certificateFile: `${KEYS_INSIDE}/smtp.pem`,
      keyFile: `${KEYS_INSIDE}/smtp.key`,
    },
  });
  const smtp = service === 'ingest' ? { SMTP_HOST: '0.0.0.0' } : {};
  const inside = { ...smtp, HOST: '0.0.0.0', PORT: '8080', PUBLIC_URL: `http://127.0.0.1:${basePort()}` };
  if (service !== 'gateway') return { ...bucketVariables(service), ...variables, ...inside };
  const others = SERVICES.filter((name) => variables[`${name.toUpperCase()}_URL`] !== undefined);
  // Delivery shares the network of the world, and with it its name.
  const host = (name: Service): string => (name === 'delivery' ? 'world' : name);
  const urls = Object.fromEntries(others.map((name) => [`${name.toUpperCase()}_URL`, `http://${host(name)}:8080`]));
  return { ...variables, ...inside, ...urls };
}

/** Of ingest and delivery, where bodies go to the compose file's own bucket; whatever `--with` says counts. */
function bucketVariables(service: Service): Record<string, string> {
  const secret = passwords.bucket[service];
  if (settings.services['BODY_STORE'] !== 's3' || settings.services['BODIES_S3_ENDPOINT'] || !secret) return {};
  return {
    BODIES_S3_ENDPOINT: 'http://bucket:8333',
    BODIES_S3_PATH_STYLE: 'true',
    BODIES_S3_BUCKET: 'lethe-bodies',
    BODIES_S3_ACCESS_KEY_ID: service,
    BODIES_S3_SECRET_ACCESS_KEY: secret,
  };
}

/** Who may do what in SeaweedFS: ingest writes, drops and sets the rules, delivery reads. */
function writeBucket(inside: string, secrets: Record<string, string>): void {
  const actions: Record<string, string[]> = { ingest: ['Admin'], delivery: ['Read', 'List'] };
  const identities = Object.entries(secrets).map(([name, secretKey]) => ({
    name,
    credentials: [{ accessKey: name, secretKey }],
    actions: actions[name],
  }));
  mkdirSync(inside, { recursive: true, mode: 0o755 });
  // Read by the server's own user, in a folder that only its owner can walk through.
  writeFileSync(join(inside, 's3.json'), JSON.stringify({ identities }), { mode: 0o644 });
}

/** The stores as the containers see them. */
function containers(): Stores {
  const url = (host: string, database: string, role: string, password = '') =>
    `postgres://${role}:${password}@${host}:5432/${database}`;
  const main = (database: string, role: string) => url('postgres', database, role, passwords.postgres[role]);
  const inVault = (role: string) => url('vault', 'vault', role, passwords.vault[role]);
  const by = <K extends string, T>(names: readonly K[], value: (name: K) => T) =>
    Object.fromEntries(names.map((name) => [name, value(name)])) as Record<K, T>;
  const credentials = (username: string) => ({ username, password: passwords.kafka[username] ?? '' });
  const none = { kafka: '', elasticsearch: '', postgres: '', vault: '' };
  return {
    kafka: { brokers: ['kafka:9092'], admin: credentials('admin'), users: by(SERVICES, credentials) },
    elasticsearch: 'http://elasticsearch:9200',
    postgres: {
      adminUrl: url('postgres', 'postgres', 'postgres', passwords.postgres['postgres']),
      urls: by(DATABASE_OWNERS, (service) => main(service, service)),
      bodies: { ingest: main('ingest', 'ingest'), delivery: main('ingest', 'delivery') },
      passwords: passwords.postgres,
    },
    vault: {
      adminUrl: url('vault', 'postgres', 'postgres', passwords.vault['postgres']),
      ownerUrl: inVault(VAULT_OWNER),
      urls: by(SERVICES, inVault),
      passwords: passwords.vault,
    },
    dir: folder,
    data: none,
    logs: none,
    pids: { kafka: 0, elasticsearch: 0, postgres: 0, vault: 0 },
  };
}

function write(name: string, values: Record<string, string | number | undefined>): void {
  const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(join(folder, name), lines.join(''), { mode: 0o600 });
}

function giveTo(user: number, group: number, path: string): void {
  chownSync(path, user, group);
  for (const entry of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    chownSync(join(path, entry), user, group);
}
