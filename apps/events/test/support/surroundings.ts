import { generateKeyPairSync, randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ACCOUNT_SETTINGS,
  DOMAIN_SETTINGS,
  MAIL_EVENTS,
  type AccountSettings,
  type DomainSettings,
  type MailEvent,
  type Service,
} from '@lethe/contracts';
import { HeartbeatPublisher, KafkaClient, kafkaConfig, Publisher } from '@lethe/kafka';
import { createClient, Search } from '@lethe/search';
import { Clock, createLog, createService, HealthRegistry, IdentitySigner } from '@lethe/service';
import { createTopics, createVault, deleteTopics, until, type Stores } from '@lethe/testing';
import { migrateVault, readKek, Vault, VaultKeeper } from '@lethe/vault';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { EventsModule } from '../../src/app.module.ts';
import { eventsConfig } from '../../src/config.ts';
import type { EventDocument } from '../../src/index/event.document.ts';
import { sealedEvent, type Mail } from './sealed-event.ts';

export const DOMAIN = 'events.example';

/** A clock that tests stop at any time they like. */
export class MovedClock extends Clock {
  private at: number | null = null;

  override now(): number {
    return this.at ?? Date.now();
  }

  stopAt(instant: number): void {
    this.at = instant;
  }

  goOn(): void {
    this.at = null;
  }
}

/** A running `events`, and what others would tell it. */
export interface Surroundings {
  readonly account: string;
  readonly domainId: string;
  /** Begins the names of its topics and indices. */
  readonly prefix: string;
  readonly search: Search;
  readonly kafka: KafkaClient;
  readonly vault: Vault;
  readonly clock: MovedClock;
  /** Of this moment: `stop` and `start` make another. */
  app(): NestFastifyApplication;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** `sealed` runs between sealing and publishing. */
  publish(mails: readonly Mail[], sealed?: () => Promise<void>): Promise<MailEvent[]>;
  republish(events: readonly MailEvent[]): Promise<void>;
  /** What accounts says of the domain, or of another one that is named; `null`: it is gone. */
  publishDomain(change: Partial<DomainSettings> | null): Promise<void>;
  /** The same of its account. */
  publishAccount(change: Partial<AccountSettings>): Promise<void>;
  query(parameters: string, account?: string): Promise<{ status: number; body: Record<string, any> }>;
  /** Everything that is indexed, in the order of ids. */
  documents(): Promise<EventDocument[]>;
  /** Waits until so many documents can be found, of recipients like these. */
  indexed(count: number, recipients?: RegExp): Promise<EventDocument[]>;
  subjectOf(address: string): Promise<string>;
  /** As an erasure does: cut off, and nothing sealed for them opens any more. */
  fence(...addresses: string[]): Promise<void>;
  /** Their keys are gone for good. */
  destroy(...addresses: string[]): Promise<void>;
  close(): Promise<void>;
}

/** `more`: settings of the service, besides. */
export async function startSurroundings(stores: Stores, more: Record<string, string> = {}): Promise<Surroundings> {
  const suite = `ev${randomBytes(4).toString('hex')}`;
  const prefix = `${suite}-`;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-events-'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'kek'), randomBytes(32));
  const database = await createVault(stores, suite);
  await Promise.all([createTopics(stores, prefix), migrateVault(database.ownerUrl)]);
  const settings = (service: Service): Record<string, string> => ({
    KAFKA_BROKERS: stores.kafka.brokers.join(','),
    KAFKA_USERNAME: stores.kafka.users[service].username,
    KAFKA_PASSWORD: stores.kafka.users[service].password,
    TOPIC_PREFIX: prefix,
  });
  const silent = createLog({ service: 'test', level: 'silent' });
  const client = (service: Service) => new KafkaClient(service, z.object(kafkaConfig).parse(settings(service)), silent);
  const vaultOf = async (service: Service): Promise<Vault> => {
    const vault = new Vault({ url: database.urls[service], kek: await readKek(join(folder, 'kek')) });
    vault.start();
    await vault.ready();
    return vault;
  };
  const [account, domainId] = [randomUUIDv7(), randomUUIDv7()];
  const accounts = await vaultOf('accounts');
  await accounts.ensureAccount(account);
  const vault = await vaultOf('ingest');
  const keeper = new VaultKeeper({ url: database.urls.privacy });
  const elastic = createClient({ ELASTICSEARCH_URL: stores.elasticsearch, ELASTICSEARCH_TIMEOUT_MS: 60_000 });
  const search = new Search(elastic);
  const clock = new MovedClock();

  const accountsClient = client('accounts');
  const tables = new Publisher(accountsClient, [ACCOUNT_SETTINGS, DOMAIN_SETTINGS]);
  const heartbeats = new HeartbeatPublisher(
    tables,
    'accounts',
    [ACCOUNT_SETTINGS, DOMAIN_SETTINGS],
    silent,
    () => true,
  );
  heartbeats.start();
  const about = (key: string) => ({ key, id: randomUUID(), type: 'settings' });
  const publishDomain = (change: Partial<DomainSettings> | null): Promise<void> => {
    const domain: DomainSettings = {
      domainId,
      accountId: account,
      name: DOMAIN,
      state: 'active',
      dkim: null,
      bodiesDays: 7,
      eventsDays: 30,
      ...change,
    };
    return tables.publish(DOMAIN_SETTINGS, [{ ...about(domain.domainId), value: change && domain }]);
  };
  const publishAccount = (change: Partial<AccountSettings>): Promise<void> =>
    tables.publish(ACCOUNT_SETTINGS, [
      { ...about(account), value: { accountId: account, state: 'active', keys: [], ...change } },
    ]);
  await Promise.all([publishDomain({}), publishAccount({})]);

  let app: NestFastifyApplication;
  const start = async (): Promise<void> => {
    const service = await createService(
      { name: 'events', module: EventsModule, config: eventsConfig },
      {
        environment: {
          ...settings('events'),
          PORT: '0',
          PUBLIC_URL: 'http://gateway.example',
          IDENTITY_PUBLIC_KEY_FILE: join(folder, 'pub'),
          VAULT_URL: database.urls.events,
          VAULT_KEK_FILE: join(folder, 'kek'),
          ELASTICSEARCH_URL: stores.elasticsearch,
          INDEX_PREFIX: prefix,
          RETENTION_WORK_MS: '500',
          RETENTION_SHORTENED_MS: '500',
          ...more,
        },
        log: silent,
        clock,
      },
    );
    ({ app } = service);
    app.get(HealthRegistry).markStarted();
    const ready = () => app.get(HealthRegistry).readiness().ready;
    if (!(await until(ready, 60_000))) throw new Error('events did not become ready');
  };
  await start();

  const events = new Publisher(client('ingest'), [MAIL_EVENTS]);
  const signer = new IdentitySigner(String(privateKey.export({ type: 'pkcs8', format: 'pem' })), new Clock());
  const republish = (again: readonly MailEvent[]): Promise<void> =>
    events.publish(
      MAIL_EVENTS,
      again.map((event) => ({ key: event.messageId, value: event, id: event.id, type: event.type, time: event.at })),
    );
  const documents = async (): Promise<EventDocument[]> => {
    await search.call((to) => to.indices.refresh({ index: `${prefix}events-*` }));
    const { hits } = await search.call((to) =>
      to.search<EventDocument>({
        index: `${prefix}events-*`,
        size: 10_000,
        sort: [{ id: { order: 'asc', unmapped_type: 'keyword' } }],
      }),
    );
    return hits.hits.map(({ _source }) => _source as EventDocument);
  };
  const pseudonyms = (addresses: string[]) => Promise.all(addresses.map((each) => vault.pseudonym(account, each)));
  const fence = async (addresses: string[]) => keeper.fence(randomUUID(), account, await pseudonyms(addresses));
  return {
    account,
    domainId,
    prefix,
    search,
    kafka: client('events'),
    vault,
    clock,
    app: () => app,
    start,
    stop: () => app.close(),
    publish: async (mails, sealed) => {
      const made = await Promise.all(mails.map((mail) => sealedEvent({ vault, account, domainId }, mail)));
      await sealed?.();
      await republish(made);
      return made;
    },
    republish,
    publishDomain,
    publishAccount,
    query: async (parameters, who = account) => {
      // The gateway vouches for the domain to the account that has it.
      const domain = who === account ? { domain: domainId } : {};
      const token = await signer.sign('events', { account: who, scopes: ['events:read'], keyId: 'test', ...domain });
      const url = parameters.startsWith('/') ? parameters : `/v3/${DOMAIN}/events?${parameters}`;
      const response = await app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
      return { status: response.statusCode, body: response.json() };
    },
    documents,
    indexed: async (count, recipients = /^/) => {
      let found: EventDocument[] = [];
      const enough = async () => {
        found = (await documents()).filter(({ recipient }) => recipients.test(recipient));
        return found.length === count;
      };
      if (!(await until(enough, 60_000))) throw new Error(`${found.length} documents are indexed, not ${count}`);
      return found;
    },
    subjectOf: async (address) => (await vault.subjectsFor(account, [address]))[0],
    fence: async (...addresses) => void (await fence(addresses)),
    destroy: async (...addresses) => {
      const { subjects } = await fence(addresses);
      const { position } = await keeper.state();
      await keeper.destroy([
        { position: position + 1, subjects: subjects.map(({ subject }) => subject), messages: [] },
      ]);
    },
    close: async () => {
      await app.close();
      heartbeats.stop();
      await tables.close(1_000);
      await accountsClient.close();
      await Promise.all([events.close(1_000), vault.close(), accounts.close(), keeper.close()]);
      for (const index of await search.indicesOf(`${prefix}events-*`)) await search.deleteIndex(index);
      await search.call((to) => to.indices.deleteIndexTemplate({ name: `${prefix}events` }));
      await elastic.close();
      await Promise.all([database.drop(), deleteTopics(stores, prefix)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
