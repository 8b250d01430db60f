import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { SERVICES, type Service } from '@lethe/contracts';
import {
  DATABASE_OWNERS,
  provisionDatabase,
  provisionRoles,
  provisionTopics,
  provisionVault,
  VAULT_OWNER,
} from '@lethe/testing';

/**
 * The one-shot of docker-compose.yml: gives every service its topics, access lists, database and roles, and migrates. The
 * stores answer before it starts. Reads what tools/docker/prepare.ts wrote; safe to repeat.
 */
const root = resolve(import.meta.dirname, '../..');
const folder = process.env['LETHE_SECRETS_FOLDER'] ?? '/run/lethe';
const run = promisify(execFile);
interface Passwords {
  kafka: { admin: string };
  postgres: Record<string, string>;
  vault: Record<string, string>;
}
const passwords = JSON.parse(readFileSync(join(folder, 'passwords.json'), 'utf8')) as Passwords;

try {
  const broker = process.env['KAFKA_BROKER'] ?? 'kafka:9092';
  await Promise.all([
    provisionTopics([broker], { username: 'admin', password: passwords.kafka.admin }),
    main(adminUrl('postgres', passwords.postgres)),
    vault(adminUrl('vault', passwords.vault)),
  ]);
  await syncBucket();
  // The vault first: nothing else starts without it.
  await migrate('privacy', { VAULT_OWNER_URL: ownerUrl() });
  await Promise.all(SERVICES.filter((service) => service !== 'privacy').map((service) => migrate(service)));
  console.log('topics, users, databases, roles and schemas are in place');
} catch (error) {
  console.error(`Provisioning failed: ${(error as Error).message}`);
  process.exit(1);
}

function adminUrl(host: string, { postgres }: Record<string, string>): string {
  const address = process.env[`${host.toUpperCase()}_ADDRESS`] ?? `${host}:5432`;
  return `postgres://postgres:${postgres}@${address}/postgres`;
}

function ownerUrl(): string {
  const url = new URL(adminUrl('vault', { postgres: passwords.vault[VAULT_OWNER] ?? '' }));
  return Object.assign(url, { username: VAULT_OWNER, pathname: '/vault' }).href;
}

async function main(url: string): Promise<void> {
  const { postgres: _, ...roles } = passwords.postgres;
  await provisionRoles(url, roles);
  for (const service of DATABASE_OWNERS) await provisionDatabase(url, service, service);
}

async function vault(url: string): Promise<void> {
  const { postgres: _, ...roles } = passwords.vault;
  await provisionRoles(url, roles);
  await provisionVault(url, 'vault');
}

/** SeaweedFS answers before what it was given is on the disk, unless it is told not to. */
async function syncBucket(): Promise<void> {
  const { BODIES_S3_ENDPOINT: endpoint } = parseEnv(readFileSync(join(folder, 'ingest.env'), 'utf8'));
  if (endpoint !== 'http://bucket:8333') return;
  const form = new FormData();
  form.append('file', new Blob([JSON.stringify({ locations: [{ locationPrefix: '/buckets/', fsync: true }] })]));
  const answer = await fetch('http://bucket:8888/etc/seaweedfs/filer.conf', { method: 'POST', body: form });
  if (!answer.ok) throw new Error(`the bucket's server answered ${answer.status}`);
}

async function migrate(service: Service, more: Record<string, string> = {}): Promise<void> {
  const script = join(root, 'apps', service, 'dist', 'migrate.js');
  if (!existsSync(script)) return;
  const env = { ...parseEnv(readFileSync(join(folder, `${service}.env`), 'utf8')), ...more };
  try {
    await run(process.execPath, [script], { env, timeout: 120_000 });
  } catch (error) {
    throw new Error(`migrating ${service}: ${(error as { stderr?: string }).stderr ?? ''}`, { cause: error });
  }
}
