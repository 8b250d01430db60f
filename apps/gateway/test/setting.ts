import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { API_PART_PATH, createLog, createService, HealthRegistry } from '@lethe/service';
import { createDatabase, createTopics, createVault, deleteTopics, freePorts, until } from '@lethe/testing';
import type { Stores } from '@lethe/testing';
import { AppModule } from '../src/app.module.ts';
import { config } from '../src/config.ts';
import { openDoor } from '../src/door/open-door.ts';
import { tlsFiles } from '../src/door/tls.ts';

const APPS = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** As main.ts starts it. */
export const GATEWAY = {
  name: 'gateway',
  module: AppModule,
  config,
  authentication: 'own',
  tls: tlsFiles,
  configure: openDoor,
} as const;

/** Resolves once the gateway says that mail can be handed in; else throws what it says is missing. */
export async function whenOpen(gateway: string): Promise<void> {
  let said = '';
  const open = async (): Promise<boolean> => {
    const response = await fetch(`${gateway}/health`);
    said = await response.text();
    return response.ok;
  };
  if (!(await until(open, 60_000))) throw new Error(`the gateway is not open: ${said}`);
}

/** Stands where ingest, events and privacy are: answers as it is told and keeps what reached it. */
export interface Service {
  origin: string;
  seen: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface Setting {
  gateway: string;
  /** What the gateway was started with. */
  environment: Record<string, string>;
  operatorToken: string;
  publicKeyFile: string;
  service: Service;
  /** The accounts process: SIGSTOP makes it silent. */
  accounts: ChildProcess;
  close(): Promise<void>;
}

/** A gateway in this process, accounts as built in its own, on real Kafka and PostgreSQL. */
export async function startSetting(
  stores: Stores,
  environment: Record<string, string> = {},
  log = createLog({ service: 'gateway', level: 'silent' }),
  accountsEnvironment: Record<string, string> = {},
): Promise<Setting> {
  const suite = `gw${randomBytes(4).toString('hex')}`;
  const prefix = `${suite}-`;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-gateway-'));
  const secrets = writeSecrets(folder);
  const [database, privacyDatabase, vault, [port = 0]] = await Promise.all([
    createDatabase(stores, 'accounts', suite),
    createDatabase(stores, 'privacy', suite),
    createVault(stores, suite),
    freePorts('accounts').then((ports) => [ports.accounts]),
    createTopics(stores, prefix),
  ]);
  const kafka = (name: 'accounts' | 'gateway') => ({
    KAFKA_BROKERS: stores.kafka.brokers.join(','),
    KAFKA_USERNAME: stores.kafka.users[name].username,
    KAFKA_PASSWORD: stores.kafka.users[name].password,
    TOPIC_PREFIX: prefix,
  });
  const ofAccounts = {
    ...kafka('accounts'),
    PORT: String(port),
    DATABASE_URL: database.url,
    VAULT_URL: vault.urls.accounts,
    VAULT_KEK_FILE: secrets.kekFile,
    IDENTITY_PUBLIC_KEY_FILE: secrets.publicKeyFile,
    PUBLIC_URL: 'https://mail.example.net',
    DOMAIN_VERIFICATION: 'off',
    ...accountsEnvironment,
  };
  const ofMigration = { DATABASE_URL: privacyDatabase.url, VAULT_OWNER_URL: vault.ownerUrl };
  await Promise.all([
    run(process.execPath, [join(APPS, 'privacy/dist/migrate.js')], { env: ofMigration }),
    run(process.execPath, [join(APPS, 'accounts/dist/migrate.js')], { env: ofAccounts }),
  ]);
  const accounts = spawn(process.execPath, [join(APPS, 'accounts/dist/main.js')], {
    env: ofAccounts,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const service = await startService();
  const ofGateway = {
    ...kafka('gateway'),
    PORT: '0',
    PUBLIC_URL: 'https://mail.example.net',
    IDENTITY_PRIVATE_KEY_FILE: secrets.privateKeyFile,
    OPERATOR_TOKEN_SHA256: createHash('sha256').update(secrets.operatorToken).digest('hex'),
    ACCOUNTS_URL: `http://127.0.0.1:${port}`,
    INGEST_URL: service.origin,
    DELIVERY_URL: service.origin,
    EVENTS_URL: service.origin,
    SUPPRESSION_URL: service.origin,
    PRIVACY_URL: service.origin,
    ...environment,
  };
  const { app } = await createService(GATEWAY, { environment: ofGateway, log });
  await app.listen(0, '127.0.0.1');
  app.get(HealthRegistry).markStarted();
  const { port: gatewayPort } = app.getHttpServer().address() as AddressInfo;
  return {
    gateway: `${environment['GATEWAY_TLS_CERT_FILE'] ? 'https' : 'http'}://127.0.0.1:${gatewayPort}`,
    environment: ofGateway,
    operatorToken: secrets.operatorToken,
    publicKeyFile: secrets.publicKeyFile,
    service,
    accounts,
    async close() {
      accounts.kill('SIGCONT');
      accounts.kill('SIGTERM');
      await until(() => accounts.exitCode !== null || accounts.signalCode !== null, 15_000);
      await app.close();
      await service.stop();
      await Promise.all([database.drop(), privacyDatabase.drop(), vault.drop(), deleteTopics(stores, prefix)]);
      rmSync(folder, { recursive: true });
    },
  };
}

async function startService(): Promise<Service> {
  const seen: Service['seen'] = [];
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '', headers } = request;
    if (url === '/health/ready' || url === API_PART_PATH) return void response.end('{}');
    seen.push({ method, url, headers });
    service.answer(request, response);
  };
  let server: Server = createServer(handle);
  const listen = (port: number) => new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const service: Service = {
    origin: `http://127.0.0.1:${port}`,
    seen,
    answer: echo,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
    start: () => {
      server = createServer(handle);
      return listen(port);
    },
  };
  return service;
}

/** Reads all, answers how much it was. */
export function echo(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  request.on('end', () => response.setHeader('content-type', 'application/json').end(JSON.stringify({ bytes })));
}

function writeSecrets(folder: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    privateKeyFile: write('identity.key', String(privateKey.export({ type: 'pkcs8', format: 'pem' }))),
    publicKeyFile: write('identity.pub', String(publicKey.export({ type: 'spki', format: 'pem' }))),
    kekFile: write('kek', randomBytes(32).toString('hex')),
    operatorToken: randomBytes(32).toString('hex'),
  };
}

export const basic = (key: string, user = 'api'): string => `Basic ${Buffer.from(`${user}:${key}`).toString('base64')}`;
