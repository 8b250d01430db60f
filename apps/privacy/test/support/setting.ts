import { generateKeyPairSync, randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ACCOUNT_SETTINGS,
  type AccountSettings,
  DOMAIN_SETTINGS,
  type DomainSettings,
  type Service,
  SUPPRESSION_ENTRIES,
  suppressionKey,
  type Topic,
} from '@lethe/contracts';
import { migrateDatabase } from '@lethe/database';
import { HeartbeatPublisher, KafkaClient, Publisher } from '@lethe/kafka';
import { Clock, createLog, createService, HealthRegistry, IdentitySigner } from '@lethe/service';
import { createDatabase, createTopics, createVault, deleteTopics, until, type Stores } from '@lethe/testing';
import { migrateVault, readKek, Vault } from '@lethe/vault';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client, Pool } from 'pg';
import { AppModule } from '../../src/app.module.ts';
import { config } from '../../src/config.ts';
import { MIGRATIONS } from '../../src/migrations/migrations.ts';
import { answerProblems } from '../../src/problems.ts';
import { FakeHolders } from './fake-holders.ts';

export const ORIGIN = 'https://mail.example.net';

export interface Answer {
  headers: Readonly<Record<string, unknown>>;
  status: number;
  type: string;
  body: any;
  text: string;
}

export interface Who {
  account: string;
  scopes?: string[];
  keyId?: string;
}

/** The service in this process, and around it all it talks to: real stores, and holders that answer as told. */
export class Setting {
  readonly holders: FakeHolders;
  /** As ingest would: makes subjects and content keys. */
  vault!: Vault;
  accountsVault!: Vault;
  delivery!: Vault;
  database!: Pool;
  /** The vault's superuser. */
  vaultAdmin!: Client;
  account!: string;
  app: NestFastifyApplication | undefined;
  readonly log: string[] = [];
  private readonly identity = generateKeyPairSync('ed25519');
  private readonly signer: IdentitySigner;
  private readonly clients: KafkaClient[] = [];
  private readonly publishers: Publisher[] = [];
  private readonly beats: HeartbeatPublisher[] = [];
  private readonly ends: (() => Promise<unknown>)[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'lethe-privacy-'));
  private readonly suite = `prv${randomBytes(4).toString('hex')}`;
  private environment: Record<string, string> = {};
  private readonly settings!: { domains: Publisher; entries: Publisher };

  constructor(private readonly stores: Stores) {
    const pem = String(this.identity.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    this.signer = new IdentitySigner(pem, new Clock());
    this.holders = new FakeHolders((service) => this.kafka(service));
    const domains = new Publisher(this.kafka('accounts'), [ACCOUNT_SETTINGS, DOMAIN_SETTINGS]);
    const entries = new Publisher(this.kafka('suppression'), [SUPPRESSION_ENTRIES]);
    this.settings = { domains, entries };
    this.publishers.push(domains, entries);
  }

  async open(overrides: Record<string, string> = {}): Promise<this> {
    const { stores, suite, folder } = this;
    const [database, vault] = await Promise.all([
      createDatabase(stores, 'privacy', suite),
      createVault(stores, suite),
      createTopics(stores, `${suite}-`),
    ]);
    this.ends.push(() => deleteTopics(stores, `${suite}-`), database.drop, vault.drop);
    await Promise.all([migrateDatabase(database.url, MIGRATIONS), migrateVault(vault.ownerUrl)]);
    const file = (name: string, content: string | Buffer): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const kekFile = file('kek', randomBytes(32));
    const certificateKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    this.environment = {
      PORT: '0',
      PUBLIC_URL: ORIGIN,
      KAFKA_BROKERS: stores.kafka.brokers.join(','),
      KAFKA_USERNAME: stores.kafka.users.privacy.username,
      KAFKA_PASSWORD: stores.kafka.users.privacy.password,
      TOPIC_PREFIX: `${suite}-`,
      DATABASE_URL: database.url,
      VAULT_URL: vault.urls.privacy,
      VAULT_KEK_FILE: kekFile,
      IDENTITY_PUBLIC_KEY_FILE: file('pub', this.identity.publicKey.export({ type: 'spki', format: 'pem' })),
      CERTIFICATE_PRIVATE_KEY_FILE: file('certificate.key', certificateKey),
      REQUEST_HOLD_MS: '0',
      REQUEST_POLL_MS: '100',
      HOLDER_PATIENCE_MS: '1500',
      FENCE_SETTLE_MS: '200',
      RELEASE_POLL_MS: '300',
      EXPUNGE_MS: '500',
      ...overrides,
    };
    this.beat(this.settings.domains, 'accounts', [ACCOUNT_SETTINGS, DOMAIN_SETTINGS]);
    this.beat(this.settings.entries, 'suppression', [SUPPRESSION_ENTRIES]);
    this.database = new Pool({ connectionString: database.url, max: 2 });
    this.vaultAdmin = new Client({ connectionString: vault.adminUrl });
    await this.vaultAdmin.connect();
    const vaultOf = async (service: Service): Promise<Vault> => {
      const made = new Vault({ url: vault.urls[service], kek: await readKek(kekFile) });
      made.start();
      await made.ready();
      return made;
    };
    this.vault = await vaultOf('ingest');
    this.accountsVault = await vaultOf('accounts');
    this.delivery = await vaultOf('delivery');
    this.account = await this.newAccount();
    await this.holders.start();
    return this;
  }

  async newAccount(): Promise<string> {
    const id = randomUUID();
    await this.accountsVault.ensureAccount(id);
    return id;
  }

  /** Starts the service; as often as a test wants. */
  async start(overrides: Record<string, string> = {}, waitMs = 30_000): Promise<NestFastifyApplication> {
    const destination = { write: (line: string) => void this.log.push(line) };
    const { app } = await createService(
      { name: 'privacy', module: AppModule, config, configure: answerProblems },
      {
        environment: { ...this.environment, ...overrides },
        log: createLog({ service: 'privacy', level: 'info', destination }),
      },
    );
    app.get(HealthRegistry).markStarted();
    this.app = app;
    if (!(await until(() => this.notReady() === '', waitMs))) throw new Error(`not ready: ${this.notReady()}`);
    return app;
  }

  notReady(): string {
    return Object.entries(this.app?.get(HealthRegistry).readiness().notReady ?? { app: 'none' })
      .map(([name, why]) => `${name} ${why}`)
      .join(', ');
  }

  async stop(): Promise<void> {
    await this.app?.close();
    this.app = undefined;
  }

  async call(
    who: Who,
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const { account, scopes = ['privacy:read', 'privacy:write'], keyId = 'key-00004f2a' } = who;
    const token = await this.signer.sign('privacy', { account, scopes, keyId });
    const response = await this.app!.inject({
      method,
      url: url.replace(ORIGIN, ''),
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const type = String(response.headers['content-type']);
    const text = response.body;
    const { headers: sent } = response;
    return {
      status: response.statusCode,
      headers: sent,
      type,
      text,
      body: /json/.test(type) ? response.json() : undefined,
    };
  }

  /** Orders the erasure of these addresses; answers the request's view. */
  async order(addresses: string[], more: Record<string, unknown> = {}, who: Who = { account: this.account }) {
    const body = { type: 'erasure', subjects: addresses.map((address) => ({ address })), ...more };
    const answer = await this.call(who, 'POST', '/v1/privacy/requests', body);
    if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`);
    return answer.body;
  }

  async show(id: string, who: Who = { account: this.account }): Promise<any> {
    return (await this.call(who, 'GET', `/v1/privacy/requests/${id}`)).body;
  }

  /** Waits until a request is as `wanted` says; throws how it was instead. */
  async reach(id: string, wanted: string | ((view: any) => boolean), waitMs = 60_000, who?: Who): Promise<any> {
    let view: any;
    const is = typeof wanted === 'string' ? (it: any): boolean => it.state === wanted : wanted;
    const reached = await until(async () => is((view = await this.show(id, who))), waitMs, 25);
    if (!reached) throw new Error(`the request did not get there: ${JSON.stringify(view)}; ${await this.stageOf(id)}`);
    return view;
  }

  async stageOf(id: string): Promise<string> {
    const { rows } = await this.database.query<{ stage: string }>('select stage from request where id = $1', [id]);
    return rows[0]?.stage ?? 'none';
  }

  async suppress(pseudonym: Buffer, scope: string, reason: 'bounce' | 'unsubscribe' | 'do-not-contact'): Promise<void> {
    const key = suppressionKey(pseudonym.toString('base64url'), scope);
    const value = { reasons: [reason], at: Date.now() };
    await this.settings.entries.publish(SUPPRESSION_ENTRIES, [{ key, value, id: randomUUID(), type: 'entry' }]);
  }

  async newDomain(accountId: string): Promise<string> {
    const domainId = randomUUID();
    const value: DomainSettings = {
      domainId,
      accountId,
      name: `${domainId.slice(0, 8)}.example`,
      state: 'active',
      dkim: null,
      bodiesDays: 7,
      eventsDays: 30,
    };
    await this.settings.domains.publish(DOMAIN_SETTINGS, [{ key: domainId, value, id: domainId, type: 'settings' }]);
    return domainId;
  }

  /** As accounts says that an account is closed; answers the id of its request. */
  async closeAccount(accountId: string, parentId?: string): Promise<string> {
    const request = randomUUIDv7();
    const value: AccountSettings = {
      accountId,
      state: 'suspended',
      closing: { request, at: Date.now(), by: 'operator' },
      ...(parentId === undefined ? {} : { parentId }),
      keys: [],
    };
    await this.settings.domains.publish(ACCOUNT_SETTINGS, [{ key: accountId, value, id: request, type: 'settings' }]);
    return request;
  }

  kafka(service: Service): KafkaClient {
    const { username, password } = this.stores.kafka.users[service];
    const client = new KafkaClient(
      service,
      {
        KAFKA_BROKERS: this.stores.kafka.brokers,
        KAFKA_USERNAME: username,
        KAFKA_PASSWORD: password,
        TOPIC_PREFIX: `${this.suite}-`,
        KAFKA_PUBLISH_WAIT_MS: 30_000,
        KAFKA_PUBLISH_QUEUE_RECORDS: 100_000,
        KAFKA_PUBLISH_QUEUE_BYTES: 268_435_456,
        KAFKA_DRAIN_MS: 5_000,
      },
      createLog({ service: 'test', level: 'error' }),
    );
    this.clients.push(client);
    return client;
  }

  /** Silences or wakes the owners of the tables. */
  heartbeats(on: boolean): void {
    for (const beat of this.beats)
      if (on) beat.start();
      else beat.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.holders.stop();
    for (const beat of this.beats) beat.stop();
    await Promise.allSettled(this.publishers.map((publisher) => publisher.close(1_000)));
    await Promise.allSettled(this.clients.map((client) => client.close()));
    await Promise.allSettled([
      this.vault?.close(),
      this.accountsVault?.close(),
      this.database?.end(),
      this.vaultAdmin?.end(),
    ]);
    await Promise.allSettled(this.ends.map((end) => end()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private beat(publisher: Publisher, service: string, topics: Topic[]): void {
    const log = createLog({ service: 'test', level: 'error' });
    const beat = new HeartbeatPublisher(publisher, service, topics, log, () => true);
    beat.start();
    this.beats.push(beat);
  }
}
