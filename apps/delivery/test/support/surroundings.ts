import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateBodies, PostgresBodyStore, type BodyStore } from '@lethe/bodies';
import {
  ACCOUNT_SETTINGS,
  DOMAIN_SETTINGS,
  MAIL_ACCEPTED,
  SUPPRESSION_ENTRIES,
  type DomainSettings,
  type Service,
  type Topic,
} from '@lethe/contracts';
import { migrateDatabase } from '@lethe/database';
import { HeartbeatPublisher, KafkaClient, Publisher } from '@lethe/kafka';
import { normalForm } from '@lethe/mail';
import { createLog } from '@lethe/service';
import {
  createDatabase,
  createTopics,
  createVault,
  deleteTopics,
  startWorld,
  withClient,
  type Stores,
  type World,
  type WorldOptions,
} from '@lethe/testing';
import { migrateVault, readKek, Vault } from '@lethe/vault';
import { Pool } from 'pg';
import { MIGRATIONS } from '../../src/deferred/migrations/migrations.ts';

const log = createLog({ service: 'test', level: 'error' });

/** Everything around the delivery service that is not it: the other services' part of Kafka, vault and body store. */
export interface Surroundings {
  world: World;
  accountId: string;
  domain: DomainSettings;
  /** With which the gateway signs, PEM. */
  identityKey: string;
  /** What the service is started with; PORT 0. */
  environment: Record<string, string>;
  ingest: { publisher: Publisher; vault: Vault; bodies: BodyStore; pool: Pool };
  settings: { domains: Publisher; suppressions: Publisher };
  heartbeats: { start(): void; stop(): void };
  events: KafkaClient;
  database: Pool;
  subjectOf(address: string): Promise<string>;
  /** As the vault does at a fence: nothing of these people opens any more. */
  cutOff(...subjects: string[]): Promise<void>;
  /** Messages whose content keys were given up, in order. */
  givenUp(): Promise<string[]>;
  /** What happens in the vault meanwhile, no service hears of. */
  deafened(work: () => Promise<void>): Promise<void>;
  end(): Promise<void>;
}

export async function surroundings(
  stores: Stores,
  overrides: Record<string, string> = {},
  worldOptions: WorldOptions = {},
): Promise<Surroundings> {
  const suite = `d${randomBytes(4).toString('hex')}`;
  const prefix = `${suite}-`;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-delivery-'));
  const kekFile = join(folder, 'kek');
  writeFileSync(kekFile, randomBytes(32).toString('hex'));
  const identity = join(folder, 'identity.pub');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(identity, publicKey.export({ type: 'spki', format: 'pem' }));

  const [own, ingest, vault] = await Promise.all([
    createDatabase(stores, 'delivery', suite),
    createDatabase(stores, 'ingest', suite),
    createVault(stores, suite),
    createTopics(stores, prefix),
  ]);
  await Promise.all([migrateDatabase(own.url, MIGRATIONS), migrateBodies(ingest.url), migrateVault(vault.ownerUrl)]);
  const world = await startWorld({ greylistMs: 400, slowMs: 1_500, ...worldOptions });

  const vaultOf = async (service: Service): Promise<Vault> => {
    const opened = new Vault({ url: vault.urls[service], kek: await readKek(kekFile) });
    opened.start();
    await opened.ready();
    return opened;
  };
  const client = (service: Service): KafkaClient =>
    new KafkaClient(
      service,
      {
        KAFKA_BROKERS: stores.kafka.brokers,
        KAFKA_USERNAME: stores.kafka.users[service].username,
        KAFKA_PASSWORD: stores.kafka.users[service].password,
        TOPIC_PREFIX: prefix,
        KAFKA_PUBLISH_WAIT_MS: 30_000,
        KAFKA_PUBLISH_QUEUE_RECORDS: 100_000,
        KAFKA_PUBLISH_QUEUE_BYTES: 268_435_456,
        KAFKA_DRAIN_MS: 5_000,
      },
      log,
    );
  const clients = [client('accounts'), client('suppression'), client('ingest'), client('events')] as const;
  const [accountsClient, suppressionClient, ingestClient, eventsClient] = clients;
  const domains = new Publisher(accountsClient, [ACCOUNT_SETTINGS, DOMAIN_SETTINGS]);
  const suppressions = new Publisher(suppressionClient, [SUPPRESSION_ENTRIES]);
  const publisher = new Publisher(ingestClient, [MAIL_ACCEPTED]);
  const beat = (of: Publisher, service: string, topics: Topic[]): HeartbeatPublisher =>
    new HeartbeatPublisher(of, service, topics, log, () => true);
  const beats = [
    beat(domains, 'accounts', [ACCOUNT_SETTINGS, DOMAIN_SETTINGS]),
    beat(suppressions, 'suppression', [SUPPRESSION_ENTRIES]),
  ];
  const heartbeats = {
    start: () => beats.forEach((each) => each.start()),
    stop: () => beats.forEach((each) => each.stop()),
  };
  heartbeats.start();

  const accountsVault = await vaultOf('accounts');
  const ingestVault = await vaultOf('ingest');
  const bodies = new PostgresBodyStore({ url: ingest.url });
  const pool = new Pool({ connectionString: ingest.url, max: 4 });
  const database = new Pool({ connectionString: own.url, max: 2 });
  const accountId = randomUUID();
  await accountsVault.ensureAccount(accountId);
  const domain = await makeDomain(accountsVault, accountId, world);
  await domains.publish(ACCOUNT_SETTINGS, [
    { key: accountId, value: { accountId, state: 'active', keys: [] }, id: randomUUID(), type: 'account-settings' },
  ]);
  await domains.publish(DOMAIN_SETTINGS, [
    { key: domain.domainId, value: domain, id: randomUUID(), type: 'domain-settings' },
  ]);

  const user = stores.kafka.users.delivery;
  return {
    world,
    accountId,
    domain,
    identityKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    environment: {
      PORT: '0',
      LOG_LEVEL: 'warn',
      KAFKA_BROKERS: stores.kafka.brokers.join(','),
      KAFKA_USERNAME: user.username,
      KAFKA_PASSWORD: user.password,
      TOPIC_PREFIX: prefix,
      DATABASE_URL: own.url,
      VAULT_URL: vault.urls.delivery,
      VAULT_KEK_FILE: kekFile,
      BODIES_URL: ingest.urlFor('delivery'),
      IDENTITY_PUBLIC_KEY_FILE: identity,
      DNS_SERVERS: `${world.dns.host}:${world.dns.port}`,
      SMTP_PORT: String(world.smtp.port),
      EHLO_NAME: 'out.lethe.example',
      PUBLIC_URL: 'https://mail.example.net',
      RETRY_DELAYS: '700ms',
      RETRY_POLL_MS: '50',
      RETRY_LEASE_MS: '3000',
      MX_CACHE_MS: '1000',
      ...overrides,
    },
    ingest: { publisher, vault: ingestVault, bodies, pool },
    settings: { domains, suppressions },
    heartbeats,
    events: eventsClient,
    database,
    async subjectOf(address) {
      const [subject] = await ingestVault.subjectsFor(accountId, [normalForm(address)]);
      return subject;
    },
    async cutOff(...subjects) {
      await withClient(vault.adminUrl, (admin) =>
        admin.query('update vault.subject set cut_off = now() where subject_id = any($1)', [subjects]),
      );
    },
    async givenUp() {
      const { rows } = await withClient(vault.adminUrl, (admin) =>
        admin.query<{ id: string }>('select message_id as id from vault.given_up order by 1'),
      );
      return rows.map(({ id }) => id);
    },
    async deafened(work) {
      await withClient(vault.adminUrl, async (admin) => {
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
    async end() {
      heartbeats.stop();
      await Promise.allSettled([domains.close(1_000), suppressions.close(1_000), publisher.close(1_000)]);
      await Promise.allSettled(clients.map((each) => each.close()));
      await Promise.allSettled([
        accountsVault.close(),
        ingestVault.close(),
        bodies.close(),
        pool.end(),
        database.end(),
      ]);
      await world.stop();
      await Promise.allSettled([own.drop(), ingest.drop(), vault.drop(), deleteTopics(stores, prefix)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A domain whose key is published in the world's DNS, as its owner would. */
async function makeDomain(vault: Vault, accountId: string, world: World): Promise<DomainSettings> {
  const domainId = randomUUID();
  const name = 'sender.example';
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const p = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const response = await fetch(`${world.http}/dns`, {
    method: 'PUT',
    body: JSON.stringify({ name: `lethe._domainkey.${name}`, type: 'TXT', value: `v=DKIM1; k=rsa; p=${p}` }),
  });
  if (!response.ok) throw new Error('The world did not take the DKIM key');
  const seal = { account: accountId, period: 'standing', type: 'dkim-key', recordId: domainId } as const;
  const sealed = await vault.sealForAccount(seal, { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) });
  return {
    domainId,
    accountId,
    name,
    state: 'active',
    dkim: { selector: 'lethe', privateKey: sealed },
    bodiesDays: 7,
    eventsDays: 30,
  };
}
