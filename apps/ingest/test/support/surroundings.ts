import { generateKeyPairSync, randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bodiesConfig, createBodyStore, prepareBodyStore, type BodyStore } from '@lethe/bodies';
import {
  ACCOUNT_SETTINGS,
  DOMAIN_SETTINGS,
  type AccountSettings,
  type DomainSettings,
  type Service,
} from '@lethe/contracts';
import { migrateDatabase } from '@lethe/database';
import { HeartbeatPublisher, KafkaClient, kafkaConfig, Publisher } from '@lethe/kafka';
import { normalForm } from '@lethe/mail';
import type { ErasureScope } from '@lethe/privacy-holder';
import { Clock, createLog, createService, HealthRegistry, IdentitySigner } from '@lethe/service';
import { createDatabase, createTopics, createVault, deleteTopics, form, until, withClient } from '@lethe/testing';
import type { Stores } from '@lethe/testing';
import { migrateVault, readKek, Vault } from '@lethe/vault';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Pool, type Client } from 'pg';
import { z } from 'zod';
import { IngestModule } from '../../src/app.module.ts';
import { ingestConfig } from '../../src/config.ts';
import { rawBodies } from '../../src/form/raw.bodies.ts';
import { MIGRATIONS } from '../../src/migrations.ts';

export type Fields = Record<string, string | readonly string[]>;

type SmtpCredentials = NonNullable<DomainSettings['smtpCredentials']>;

export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly id?: string;
  readonly retryAfter?: string;
}

/** Replicas of `ingest`, and what others would tell them. */
export interface Surroundings {
  readonly accountId: string;
  readonly domain: DomainSettings;
  readonly apps: readonly NestFastifyApplication[];
  /** Ingest's database, as its owner. */
  readonly database: Pool;
  /** The vault and the bodies as ingest and delivery see them. */
  readonly vault: { readonly ingest: Vault; readonly delivery: Vault };
  readonly bodies: BodyStore;
  /** Hands a message in at a replica, from `From <from@…>` where nothing else is said. */
  send(fields: Fields, replica?: number, headers?: Record<string, string>): Promise<Answer>;
  /** The same, a message as it is. */
  sendMime(fields: Fields, replica?: number, headers?: Record<string, string>): Promise<Answer>;
  /** Anything else, as the gateway passes it on: below `/v3/domains/{domain}/messages/`. `by`: default the domain's own account. */
  stored(path: string, init?: RequestInit, at?: { replica?: number; by?: 'stranger' }): Promise<Response>;
  /** The same, below `/v3/lists`. */
  lists(path: string, init?: RequestInit, at?: { replica?: number; by?: 'stranger' }): Promise<Response>;
  /** Anything else, as the gateway passes it on. */
  request(path: string, init?: RequestInit, replica?: number): Promise<Response>;
  /** A list of allowed senders as accounts seals it; `of`: the domain's or account's id. */
  allowedSenders(of: string, senders: readonly string[]): Promise<string>;
  /** The same, below `/v3/{domain}/templates`. */
  templates(path: string, init?: RequestInit, at?: { replica?: number; by?: 'stranger' }): Promise<Response>;
  /** A credential as accounts seals it; `id`: of one that it replaces. */
  smtpCredential(login: string, hash: string, id?: string): Promise<SmtpCredentials[number]>;
  /** Replaces what accounts has published of the domain; replicas hear of it within a moment. */
  publishDomain(change: Partial<DomainSettings>): Promise<void>;
  /** The same of its account, or of the one the change names. */
  publishAccount(change: Partial<AccountSettings>): Promise<void>;
  /** The domain, as it is published once it is deleted. */
  endDomain(): Promise<void>;
  subjectOf(address: string): Promise<string>;
  /** The vault's own database. */
  vaultAdmin(work: (admin: Client) => Promise<void>): Promise<void>;
  /** As the vault does at a fence: nothing of these people opens any more, whoever comes back is new. */
  cutOff(...subjects: string[]): Promise<void>;
  /** What happens in the vault meanwhile, no service hears of. */
  deafened(work: () => Promise<void>): Promise<void>;
  scope(...subjects: string[]): ErasureScope;
  /** Starts one more, for as long as the suite runs. */
  replica(settings?: Record<string, string>): Promise<NestFastifyApplication>;
  /** Stops one before its time. */
  stop(app: NestFastifyApplication): Promise<void>;
  close(): Promise<void>;
}

/** Without a replica yet. `settings`: of each of them. */
export async function surroundings(stores: Stores, settings: Record<string, string> = {}): Promise<Surroundings> {
  const suite = `in${randomBytes(4).toString('hex')}`;
  const prefix = `${suite}-`;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-ingest-'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'kek'), randomBytes(32));
  const [own, vaultDatabase] = await Promise.all([
    createDatabase(stores, 'ingest', suite),
    createVault(stores, suite),
    createTopics(stores, prefix),
  ]);
  await migrateDatabase(own.url, MIGRATIONS);
  const bodyStore = z.object(bodiesConfig).parse({ BODIES_URL: own.url, ...settings });
  await Promise.all([prepareBodyStore(bodyStore, own.url, async () => null), migrateVault(vaultDatabase.ownerUrl)]);

  const log = createLog({ service: 'test', level: 'error' });
  const kafka = (service: Service): Record<string, string> => ({
    KAFKA_BROKERS: stores.kafka.brokers.join(','),
    KAFKA_USERNAME: stores.kafka.users[service].username,
    KAFKA_PASSWORD: stores.kafka.users[service].password,
    TOPIC_PREFIX: prefix,
  });
  const vaultOf = async (service: 'accounts' | 'ingest' | 'delivery'): Promise<Vault> => {
    const vault = new Vault({ url: vaultDatabase.urls[service], kek: await readKek(join(folder, 'kek')) });
    vault.start();
    await vault.ready();
    return vault;
  };
  const [accounts, ingest, delivery] = [await vaultOf('accounts'), await vaultOf('ingest'), await vaultOf('delivery')];
  const accountId = randomUUIDv7();
  await accounts.ensureAccount(accountId);
  const domain: DomainSettings = {
    domainId: randomUUIDv7(),
    accountId,
    name: 'sender.example',
    state: 'active',
    dkim: null,
    bodiesDays: 7,
    eventsDays: 30,
  };
  const accountsClient = new KafkaClient('accounts', z.object(kafkaConfig).parse(kafka('accounts')), log);
  const tables = new Publisher(accountsClient, [ACCOUNT_SETTINGS, DOMAIN_SETTINGS]);
  const heartbeats = new HeartbeatPublisher(tables, 'accounts', [ACCOUNT_SETTINGS, DOMAIN_SETTINGS], log, () => true);
  heartbeats.start();
  const stranger = { ...domain, domainId: randomUUIDv7(), accountId: randomUUIDv7(), name: 'stranger.example' };
  await accounts.ensureAccount(stranger.accountId);
  await tables.publish(
    ACCOUNT_SETTINGS,
    [accountId, stranger.accountId].map((id) => {
      const value = { accountId: id, state: 'active' as const, keys: [] };
      return { key: id, value, id: randomUUID(), type: 'account' };
    }),
  );
  await tables.publish(DOMAIN_SETTINGS, [
    { key: stranger.domainId, value: stranger, id: randomUUID(), type: 'domain' },
  ]);
  const publishDomain = (change: Partial<DomainSettings>): Promise<void> =>
    tables.publish(DOMAIN_SETTINGS, [
      { key: domain.domainId, value: { ...domain, ...change }, id: randomUUID(), type: 'domain' },
    ]);
  await publishDomain({});
  const publishAccount = (change: Partial<AccountSettings>): Promise<void> =>
    tables.publish(ACCOUNT_SETTINGS, [
      {
        key: change.accountId ?? accountId,
        value: { accountId, state: 'active', keys: [], ...change },
        id: randomUUID(),
        type: 'account',
      },
    ]);

  const apps: NestFastifyApplication[] = [];
  const replica = async (more: Record<string, string> = {}): Promise<NestFastifyApplication> => {
    const { app } = await createService(
      { name: 'ingest', module: IngestModule, config: ingestConfig, bodyParser: false, configure: rawBodies },
      {
        environment: {
          ...kafka('ingest'),
          PORT: '0',
          PUBLIC_URL: 'http://gateway.example/',
          IDENTITY_PUBLIC_KEY_FILE: join(folder, 'pub'),
          DATABASE_URL: own.url,
          BODIES_URL: own.url,
          VAULT_URL: vaultDatabase.urls.ingest,
          VAULT_KEK_FILE: join(folder, 'kek'),
          DESTINATION_KEY: randomBytes(32).toString('hex'),
          ...settings,
          ...more,
        },
        log,
      },
    );
    await app.listen(0, '127.0.0.1');
    const health = app.get(HealthRegistry);
    health.markStarted();
    apps.push(app);
    if (!(await until(() => health.readiness().ready, 30_000))) throw new Error('ingest did not become ready');
    return app;
  };

  const database = new Pool({ connectionString: own.url, max: 4 });
  const bodies = createBodyStore(bodyStore);
  const signer = new IdentitySigner(String(privateKey.export({ type: 'pkcs8', format: 'pem' })), new Clock());
  const call = async (path: string, init: RequestInit, at: number, who = domain): Promise<Response> => {
    const claims = { account: who.accountId, scopes: ['messages:send'], keyId: randomUUID(), domain: who.domainId };
    const token = await signer.sign('ingest', claims);
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    return fetch(`${await apps[at]?.getUrl()}${path}`, { ...init, headers });
  };
  const post = async (
    path: string,
    body: BodyInit,
    at: number,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await call(`/v3/${domain.name}/${path}`, { method: 'POST', body, headers }, at);
    const { id, message } = (await response.json()) as { id?: string; message: string };
    const retryAfter = response.headers.get('retry-after');
    return { status: response.status, message, ...(id && { id }), ...(retryAfter && { retryAfter }) };
  };
  return {
    accountId,
    domain,
    apps,
    database,
    bodies,
    vault: { ingest, delivery },
    replica,
    send(fields, at = 0, headers = {}) {
      const whole = { from: `From <from@${domain.name}>`, subject: 'Hello', text: 'Hello.', ...fields };
      return post('messages', form(whole), at, headers);
    },
    sendMime: (fields, at = 0, headers = {}) => post('messages.mime', form(fields), at, headers),
    stored(path, init = {}, { replica: at = 0, by } = {}) {
      const who = by === 'stranger' ? stranger : domain;
      return call(`/v3/domains/${who.name}/messages/${path}`, init, at, who);
    },
    lists(path, init = {}, { replica: at = 0, by } = {}) {
      return call(`/v3/lists${path}`, init, at, by === 'stranger' ? stranger : domain);
    },
    request: (path, init = {}, at = 0) => call(path, init, at),
    allowedSenders: (of, senders) =>
      accounts.sealForAccount(
        { account: accountId, period: 'standing', type: 'allowed-senders', recordId: of },
        { senders },
      ),
    templates(path, init = {}, { replica: at = 0, by } = {}) {
      const who = by === 'stranger' ? stranger : domain;
      return call(`/v3/${who.name}/templates${path}`, init, at, who);
    },
    publishDomain,
    publishAccount,
    endDomain: () =>
      tables.publish(DOMAIN_SETTINGS, [{ key: domain.domainId, value: null, id: randomUUID(), type: 'domain' }]),
    async smtpCredential(login, hash, id = randomUUIDv7()) {
      const seal = { account: accountId, period: 'standing', type: 'smtp-credential', recordId: id } as const;
      return { id, credential: await accounts.sealForAccount(seal, { login, hash }) };
    },
    async subjectOf(address) {
      const [subject] = await ingest.subjectsFor(accountId, [normalForm(address)]);
      return subject;
    },
    vaultAdmin: (work) => withClient(vaultDatabase.adminUrl, work),
    async cutOff(...subjects) {
      await withClient(vaultDatabase.adminUrl, (admin) =>
        admin.query('update vault.subject set cut_off = now() where subject_id = any($1)', [subjects]),
      );
    },
    async deafened(work) {
      await withClient(vaultDatabase.adminUrl, async (admin) => {
        const { rows } = await admin.query<{ name: string }>('select quote_ident(current_database()) as name');
        const name = rows[0]?.name;
        await admin.query(`alter database ${name} connection limit 0`);
        await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name = 'lethe-vault-revocations' and datname = current_database()`,
        );
        await work();
        await admin.query(`alter database ${name} connection limit -1`);
      });
    },
    scope: (...subjects) => ({
      requestId: randomUUIDv7(),
      accountId,
      subjects: new Set(subjects),
      cutOff: Date.now(),
      doNotContact: 'remove',
    }),
    async stop(app) {
      apps.splice(apps.indexOf(app), 1);
      await app.close();
    },
    async close() {
      await Promise.all(apps.map((app) => app.close()));
      heartbeats.stop();
      await tables.close(1_000);
      await accountsClient.close();
      await Promise.all([accounts, ingest, delivery].map((vault) => vault.close()));
      await Promise.all([bodies.close(), database.end()]);
      await Promise.all([own.drop(), vaultDatabase.drop(), deleteTopics(stores, prefix)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
