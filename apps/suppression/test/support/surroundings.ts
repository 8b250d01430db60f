import { generateKeyPairSync, randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DOMAIN_SETTINGS,
  MAIL_EVENTS,
  mailEvent,
  SUPPRESSION_ENTRIES,
  suppressionKey,
  type MailEvent,
  type Service,
} from '@lethe/contracts';
import { migrateDatabase } from '@lethe/database';
import {
  DeadLetters,
  HeartbeatPublisher,
  KafkaClient,
  kafkaConfig,
  LocalTable,
  Publisher,
  TableReader,
} from '@lethe/kafka';
import { acceptForms, Clock, createLog, createService, HealthRegistry, IdentitySigner } from '@lethe/service';
import { createDatabase, createTopics, createVault, deleteTopics, until, type Stores } from '@lethe/testing';
import { migrateVault, readKek, Vault, VaultKeeper } from '@lethe/vault';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Pool } from 'pg';
import { z } from 'zod';
import { AppModule } from '../../src/app.module.ts';
import { config } from '../../src/config.ts';
import { MIGRATIONS } from '../../src/migrations/migrations.ts';

export interface Domain {
  account: string;
  domainId: string;
  name: string;
}

export interface Answer {
  status: number;
  body: Record<string, any>;
}

type Body = URLSearchParams | FormData | object;

/** Two replicas of `suppression`, and what is around them. */
export interface Surroundings {
  replicas: [NestFastifyApplication, NestFastifyApplication];
  /** Its database, as superuser. */
  database: Pool;
  /** What delivery knows. */
  table: LocalTable<typeof SUPPRESSION_ENTRIES>;
  /** The key of an address's entry; `scope` where it is not the domain. */
  keyOf(domain: Domain, address: string, scope?: string): Promise<string>;
  vault: Record<'accounts' | 'ingest' | 'suppression', Vault>;
  vaultAdmin: Pool;
  /** The vault as privacy has it. */
  keeper: VaultKeeper;
  /** As delivery publishes events. */
  events: Publisher;
  /** A domain of a new account, or of the one given; known to suppression when this resolves. */
  domain(account?: string): Promise<Domain>;
  /** The same of one that nobody has heard of yet. */
  announce(domain: Domain): Promise<void>;
  /** The domain, as it is published once it is deleted. */
  endDomain(domain: Domain): Promise<void>;
  /** Whether accounts is alive: without its heartbeat nobody is sure of domains. */
  heartbeat: { alive: boolean };
  /** As the gateway would call for the domain's account (or another one); the replicas take turns. */
  call(domain: Domain, method: 'GET' | 'POST' | 'DELETE', path: string, body?: Body, account?: string): Promise<Answer>;
  /** As the gateway passes on what anybody asks of a link. */
  link(method: 'GET' | 'POST', link: string, type?: string): Promise<Page>;
  /** What is on `mail-events` by now. */
  told: readonly MailEvent[];
  close(): Promise<void>;
}

export interface Page {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

export async function startSurroundings(stores: Stores): Promise<Surroundings> {
  const suite = `su${randomBytes(4).toString('hex')}`;
  const prefix = `${suite}-`;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-suppression-'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'kek'), randomBytes(32));
  const [own, vaultDatabase] = await Promise.all([
    createDatabase(stores, 'suppression', suite),
    createVault(stores, suite),
    createTopics(stores, prefix),
  ]);
  await Promise.all([migrateDatabase(own.url, MIGRATIONS), migrateVault(vaultDatabase.ownerUrl)]);
  const silent = createLog({ service: 'test', level: 'silent' });
  const kafka = (service: Service): Record<string, string> => ({
    KAFKA_BROKERS: stores.kafka.brokers.join(','),
    KAFKA_USERNAME: stores.kafka.users[service].username,
    KAFKA_PASSWORD: stores.kafka.users[service].password,
    TOPIC_PREFIX: prefix,
  });
  const clients: KafkaClient[] = [];
  const client = (service: Service): KafkaClient => {
    const made = new KafkaClient(service, z.object(kafkaConfig).parse(kafka(service)), silent);
    clients.push(made);
    return made;
  };
  const vaultOf = async (service: Service): Promise<Vault> => {
    const made = new Vault({ url: vaultDatabase.urls[service], kek: await readKek(join(folder, 'kek')) });
    made.start();
    await made.ready();
    return made;
  };
  const vault = {
    accounts: await vaultOf('accounts'),
    ingest: await vaultOf('ingest'),
    suppression: await vaultOf('suppression'),
  };

  const keeper = new VaultKeeper({ url: vaultDatabase.urls.privacy });

  const settings = new Publisher(client('accounts'), [DOMAIN_SETTINGS]);
  const heartbeat = { alive: true };
  const heartbeats = new HeartbeatPublisher(settings, 'accounts', [DOMAIN_SETTINGS], silent, () => heartbeat.alive);
  heartbeats.start();

  const environment = {
    ...kafka('suppression'),
    PORT: '0',
    PUBLIC_URL: 'http://gateway.example/',
    IDENTITY_PUBLIC_KEY_FILE: join(folder, 'pub'),
    DATABASE_URL: own.url,
    VAULT_URL: vaultDatabase.urls.suppression,
    VAULT_KEK_FILE: join(folder, 'kek'),
  };
  const replica = async (): Promise<NestFastifyApplication> => {
    const { app } = await createService(
      { name: 'suppression', module: AppModule, config, configure: acceptForms },
      { environment, log: silent },
    );
    app.get(HealthRegistry).markStarted();
    return app;
  };
  const replicas: Surroundings['replicas'] = [await replica(), await replica()];

  const delivery = client('delivery');
  const table = new LocalTable(SUPPRESSION_ENTRIES);
  const reader = new TableReader(delivery, table, new DeadLetters(new Publisher(delivery, []), silent));
  reader.start();
  const events = new Publisher(delivery, [MAIL_EVENTS]);
  const told: MailEvent[] = [];
  const hearing = client('events');
  const hearer = hearing.consumer({ groupId: hearing.groupName('told') });
  await hearer.connect();
  await hearer.subscribe({ topics: [hearing.topicName(MAIL_EVENTS)], fromBeginning: true });
  await hearer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => {
      told.push(mailEvent.parse(JSON.parse(message.value?.toString() ?? 'null')));
    },
  });
  const ready = () => table.fresh && replicas.every((app) => app.get(HealthRegistry).readiness().ready);
  if (!(await until(ready, 40_000))) throw new Error('suppression did not become ready');

  const database = new Pool({ connectionString: own.adminUrl, max: 3 });
  const vaultAdmin = new Pool({ connectionString: vaultDatabase.adminUrl, max: 2 });
  const signer = new IdentitySigner(String(privateKey.export({ type: 'pkcs8', format: 'pem' })), new Clock());
  let calls = 0;
  const around: Surroundings = {
    replicas,
    database,
    table,
    vault,
    vaultAdmin,
    keeper,
    events,
    async keyOf({ account, domainId }, address, scope = domainId) {
      return suppressionKey((await vault.suppression.pseudonym(account, address)).toString('base64url'), scope);
    },
    async domain(of) {
      const account = of ?? randomUUIDv7();
      await vault.accounts.ensureAccount(account);
      const domain = { account, domainId: randomUUIDv7(), name: `d${randomBytes(3).toString('hex')}.example` };
      await around.announce(domain);
      return domain;
    },
    async announce(domain) {
      const { account: accountId, domainId, name } = domain;
      const about = { state: 'active', dkim: null, bodiesDays: 7, eventsDays: 30 } as const;
      const value = { domainId, accountId, name, ...about };
      await settings.publish(DOMAIN_SETTINGS, [{ key: domainId, value, id: randomUUID(), type: 'domain' }]);
      for (const _ of replicas) {
        const known = async () => (await around.call(domain, 'GET', '?limit=1')).status === 200;
        if (!(await until(known, 10_000, 20))) throw new Error('the domain is not known');
      }
    },
    endDomain: ({ domainId }) =>
      settings.publish(DOMAIN_SETTINGS, [{ key: domainId, value: null, id: randomUUID(), type: 'domain' }]),
    heartbeat,
    async call(domain, method, path, body, account = domain.account) {
      const scopes = ['suppressions:read', 'suppressions:write'];
      const token = await signer.sign('suppression', { account, scopes, keyId: 'test' });
      const encoded = body === undefined ? undefined : new Response(...encode(body));
      calls += 1;
      const response = await replicas[calls % 2 === 0 ? 0 : 1].inject({
        method,
        url: `/v3/${domain.name}/bounces${path}`,
        headers: {
          authorization: `Bearer ${token}`,
          // What SDKs send with every request, bodies or not.
          'content-type': encoded?.headers.get('content-type') ?? 'application/x-www-form-urlencoded',
        },
        ...(encoded ? { payload: Buffer.from(await encoded.arrayBuffer()) } : {}),
      });
      return { status: response.statusCode, body: response.json() };
    },
    told,
    async link(method, link, type = 'application/x-www-form-urlencoded') {
      const token = await signer.sign('suppression', { account: 'nobody', scopes: [], keyId: 'nobody' });
      const isMultipart = type.startsWith('multipart/');
      const payload = isMultipart
        ? '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
        : 'List-Unsubscribe=One-Click';
      calls += 1;
      const response = await replicas[calls % 2 === 0 ? 0 : 1].inject({
        method,
        url: `/unsubscribe/${link}`,
        headers: {
          authorization: `Bearer ${token}`,
          ...(method === 'POST' ? { 'content-type': isMultipart ? `${type}; boundary=b` : type } : {}),
        },
        ...(method === 'POST' ? { payload } : {}),
      });
      return { status: response.statusCode, headers: response.headers, text: response.body };
    },
    async close() {
      await hearer.disconnect();
      await reader.stop();
      await Promise.all(replicas.map((app) => app.close()));
      heartbeats.stop();
      await Promise.all([settings.close(1_000), events.close(1_000)]);
      await Promise.all(clients.map((each) => each.close()));
      await Promise.all([...Object.values(vault).map((each) => each.close()), keeper.close()]);
      await Promise.all([database.end(), vaultAdmin.end()]);
      await Promise.all([own.drop(), vaultDatabase.drop(), deleteTopics(stores, prefix)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return around;
}

function encode(body: Body): [BodyInit, ResponseInit?] {
  if (body instanceof URLSearchParams || body instanceof FormData) return [body];
  return [JSON.stringify(body), { headers: { 'content-type': 'application/json' } }];
}
