import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS, PLATFORM_ACCOUNT } from '@lethe/contracts';
import type { Service } from '@lethe/contracts';
import { migrateDatabase } from '@lethe/database';
import { DeadLetters, KafkaClient, kafkaConfig, LocalTable, Publisher, TableReader } from '@lethe/kafka';
import { acceptForms, Clock, createLog, createService, HealthRegistry, IdentitySigner } from '@lethe/service';
import { createDatabase, createTopics, createVault, deleteTopics, startWorld, until, withClient } from '@lethe/testing';
import type { Stores, World } from '@lethe/testing';
import { migrateVault, readKek, Vault } from '@lethe/vault';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { AppModule } from '../src/app.module.ts';
import { config } from '../src/config.ts';
import { ROLES } from '../src/keys/roles.ts';
import { MIGRATIONS } from '../src/migrations/migrations.ts';

/** What the operator tells customers to publish. */
export const SPF_RECORD = 'v=spf1 include:spf.lethe.example ~all';
export const TRACKING_HOST = 'track.lethe.example';
export const SANDBOX_ZONE = 'sandbox.lethe.example';
export const MX_HOSTS = ['mxa.lethe.example', 'mxb.lethe.example'];

export interface Answer {
  status: number;
  body: Record<string, any>;
}
/** With what browsers keep and wait for. */
export interface WholeAnswer extends Answer {
  headers: Record<string, unknown>;
}

export interface Setting {
  /** One of two replicas. */
  app: NestFastifyApplication;
  world: World;
  /** What others read of accounts. */
  accounts: LocalTable<typeof ACCOUNT_SETTINGS>;
  domains: LocalTable<typeof DOMAIN_SETTINGS>;
  /** The vault as delivery sees it. */
  vault: Vault;
  /** Asks the vault's database as its owner. */
  vaultAdmin(sql: string): Promise<unknown[]>;
  /** As the gateway would call, for an account with these scopes; the two replicas take turns. */
  call(who: Who, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: Body): Promise<Answer>;
  /** The same, with the headers of the answer. */
  exchange(...call: Parameters<Setting['call']>): Promise<WholeAnswer>;
  /** Replaces the records of one name and type in the world's DNS; several values are several records. */
  register(name: string, type: 'TXT' | 'MX' | 'CNAME', ...value: string[]): Promise<void>;
  close(): Promise<void>;
}
export interface Who {
  account: string;
  scopes: string[];
  /** Of a session: its id. */
  keyId?: string;
  /** Where the gateway says it comes from. */
  from?: string;
  cookie?: string;
}
/** Whoever runs the platform. */
export const OPERATOR: Who = {
  account: PLATFORM_ACCOUNT,
  scopes: ['operator', 'operator:read', 'users:read', 'users:write'],
};

type Body = URLSearchParams | FormData | object;

/** `environment`: of both replicas, besides. */
export async function startSetting(stores: Stores, environment: Record<string, string> = {}): Promise<Setting> {
  const suite = `acc${randomBytes(4).toString('hex')}`;
  const prefix = `${suite}-`;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-accounts-'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const privatePem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(folder, 'pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'kek'), randomBytes(32));
  const [database, vaultDatabase, world] = await Promise.all([
    createDatabase(stores, 'accounts', suite),
    createVault(stores, suite),
    startWorld(),
    createTopics(stores, prefix),
  ]);
  await Promise.all([migrateDatabase(database.url, MIGRATIONS), migrateVault(vaultDatabase.ownerUrl)]);
  const log = createLog({ service: 'accounts', level: 'silent' });
  const kafka = (service: Service) => ({
    KAFKA_BROKERS: stores.kafka.brokers.join(','),
    KAFKA_USERNAME: stores.kafka.users[service].username,
    KAFKA_PASSWORD: stores.kafka.users[service].password,
    TOPIC_PREFIX: prefix,
  });
  const replica = async (): Promise<NestFastifyApplication> => {
    const { app } = await createService(
      { name: 'accounts', module: AppModule, config, configure: acceptForms },
      {
        environment: {
          ...kafka('accounts'),
          PORT: '0',
          IDENTITY_PUBLIC_KEY_FILE: join(folder, 'pub'),
          DATABASE_URL: database.url,
          VAULT_URL: vaultDatabase.urls.accounts,
          VAULT_KEK_FILE: join(folder, 'kek'),
          PUBLIC_URL: 'http://gateway.example/',
          DNS_SERVERS: `${world.dns.host}:${world.dns.port}`,
          SPF_RECORD,
          TRACKING_HOST,
          MX_HOSTS: MX_HOSTS.join(','),
          ...environment,
        },
        log,
      },
    );
    app.get(HealthRegistry).markStarted();
    return app;
  };
  const replicas = [await replica(), await replica()] as const;
  let calls = 0;

  const client = new KafkaClient('gateway', z.object(kafkaConfig).parse(kafka('gateway')), log);
  const accounts = new LocalTable(ACCOUNT_SETTINGS);
  const domains = new LocalTable(DOMAIN_SETTINGS);
  const deadLetters = new DeadLetters(new Publisher(client, []), log);
  const readers = [new TableReader(client, accounts, deadLetters), new TableReader(client, domains, deadLetters)];
  for (const reader of readers) reader.start();
  const vault = new Vault({ url: vaultDatabase.urls.delivery, kek: await readKek(join(folder, 'kek')) });
  vault.start();
  const fresh = () => accounts.fresh && domains.fresh;
  if (!(await until(fresh, 20_000))) throw new Error('the tables are not fresh');

  const signer = new IdentitySigner(privatePem, new Clock());
  const exchange: Setting['exchange'] = async (who, method, url, body) => {
    const { from, cookie, ...claims } = who;
    const token = await signer.sign('accounts', { keyId: 'test', ...claims });
    const encoded = body === undefined ? undefined : new Response(...encode(body));
    calls += 1;
    const response = await replicas[calls % 2 === 0 ? 0 : 1].inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${token}`,
        'x-forwarded-for': from ?? '192.0.2.1',
        ...(cookie === undefined ? {} : { cookie }),
        ...(encoded ? { 'content-type': encoded.headers.get('content-type') ?? '' } : {}),
      },
      ...(encoded ? { payload: Buffer.from(await encoded.arrayBuffer()) } : {}),
    });
    return {
      status: response.statusCode,
      body: response.body === '' ? {} : response.json(),
      headers: response.headers,
    };
  };
  return {
    app: replicas[0],
    world,
    accounts,
    domains,
    vault,
    vaultAdmin: (sql) =>
      withClient(vaultDatabase.adminUrl, async (client) => (await client.query(sql)).rows as unknown[]),
    exchange,
    async call(...asked) {
      const { status, body } = await exchange(...asked);
      return { status, body };
    },
    async register(name, type, ...value) {
      const { ok } = await fetch(`${world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });
      if (!ok) throw new Error('The world did not take the record');
    },
    async close() {
      await Promise.all(readers.map((reader) => reader.stop()));
      await client.close();
      await vault.close();
      await Promise.all(replicas.map((app) => app.close()));
      await world.stop();
      await Promise.all([database.drop(), vaultDatabase.drop(), deleteTopics(stores, prefix)]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** A new account's key that may do everything a key may. */
export async function newAccount(setting: Setting): Promise<Who> {
  const { body } = await setting.call(OPERATOR, 'POST', '/v1/accounts');
  return { account: body['account'].id as string, scopes: [...ROLES.admin] };
}

function encode(body: Body): [BodyInit, ResponseInit?] {
  if (body instanceof URLSearchParams || body instanceof FormData) return [body];
  return [JSON.stringify(body), { headers: { 'content-type': 'application/json' } }];
}
