import { generateKeyPairSync, randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DOMAIN_SETTINGS,
  eventId,
  MAIL_EVENTS,
  periodOf,
  recordId,
  type DomainSettings,
  type Envelope,
  type MailEvent,
  type Service,
} from '@lethe/contracts';
import { HeartbeatPublisher, KafkaClient, kafkaConfig, Publisher } from '@lethe/kafka';
import { Clock, createLog, createService, HealthRegistry, IdentitySigner } from '@lethe/service';
import { createTopics, createVault, deleteTopics, until, withClient, type Stores } from '@lethe/testing';
import { migrateVault, readKek, Vault } from '@lethe/vault';
import { z } from 'zod';
import { EventsModule } from '../src/app.module.ts';
import { eventsConfig } from '../src/config.ts';

export interface Mail {
  to: string;
  from?: string;
  subject?: string;
  size?: number;
  tags?: string[];
  at?: number;
  type?: MailEvent['type'];
  variables?: Envelope['variables'];
  originatingIp?: string;
  /** Sealed for another record: it can never be opened. */
  poisoned?: boolean;
}

/** One running `events`, and what others would tell it. */
export interface Surroundings {
  account: string;
  /** `sealed` runs between sealing and publishing. */
  publish(mails: Mail[], sealed?: () => Promise<void>): Promise<MailEvent[]>;
  query(parameters: string, account?: string): Promise<{ status: number; body: Record<string, any> }>;
  /** As an erasure does: nothing sealed for that person opens any more. */
  cutOff(address: string): Promise<void>;
  close(): Promise<void>;
}

const DOMAIN = 'events.example';

export async function startSurroundings(stores: Stores): Promise<Surroundings> {
  const suite = `ev${randomBytes(4).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-events-'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'kek'), randomBytes(32));
  const vaultDatabase = await createVault(stores, suite);
  await Promise.all([createTopics(stores, `${suite}-`), migrateVault(vaultDatabase.ownerUrl)]);
  const kafka = (service: Service): Record<string, string> => ({
    KAFKA_BROKERS: stores.kafka.brokers.join(','),
    KAFKA_USERNAME: stores.kafka.users[service].username,
    KAFKA_PASSWORD: stores.kafka.users[service].password,
    TOPIC_PREFIX: `${suite}-`,
  });
  const silent = createLog({ service: 'test', level: 'silent' });
  const client = (service: Service) => new KafkaClient(service, z.object(kafkaConfig).parse(kafka(service)), silent);
  const vaultOf = async (service: Service): Promise<Vault> => {
    const vault = new Vault({ url: vaultDatabase.urls[service], kek: await readKek(join(folder, 'kek')) });
    vault.start();
    await vault.ready();
    return vault;
  };
  const [account, domainId] = [randomUUIDv7(), randomUUIDv7()];
  const accounts = await vaultOf('accounts');
  await accounts.ensureAccount(account);
  const ingest = await vaultOf('ingest');

  const settings = new Publisher(client('accounts'), [DOMAIN_SETTINGS]);
  const heartbeats = new HeartbeatPublisher(settings, 'accounts', [DOMAIN_SETTINGS], silent, () => true);
  heartbeats.start();
  const value: DomainSettings = {
    domainId,
    accountId: account,
    name: DOMAIN,
    state: 'active',
    dkim: null,
    bodiesDays: 7,
    eventsDays: 30,
  };
  await settings.publish(DOMAIN_SETTINGS, [{ key: domainId, value, id: randomUUID(), type: 'domain' }]);

  const { app } = await createService(
    { name: 'events', module: EventsModule, config: eventsConfig },
    {
      environment: {
        ...kafka('events'),
        PORT: '0',
        PUBLIC_URL: 'http://gateway.example',
        IDENTITY_PUBLIC_KEY_FILE: join(folder, 'pub'),
        VAULT_URL: vaultDatabase.urls.events,
        VAULT_KEK_FILE: join(folder, 'kek'),
        ELASTICSEARCH_URL: stores.elasticsearch,
        INDEX_PREFIX: `${suite}-`,
      },
      log: silent,
    },
  );
  app.get(HealthRegistry).markStarted();
  const ready = () => app.get(HealthRegistry).readiness().ready;
  if (!(await until(ready, 30_000))) throw new Error('events did not become ready');

  const events = new Publisher(client('ingest'), [MAIL_EVENTS]);
  const signer = new IdentitySigner(String(privateKey.export({ type: 'pkcs8', format: 'pem' })), new Clock());
  return {
    account,
    publish: async (mails, sealed) => {
      const made = await Promise.all(mails.map((mail) => sealedEvent(ingest, account, domainId, mail)));
      await sealed?.();
      await events.publish(
        MAIL_EVENTS,
        made.map((event) => ({ key: event.messageId, value: event, id: event.id, type: event.type, time: event.at })),
      );
      return made;
    },
    query: async (parameters, who = account) => {
      const token = await signer.sign('events', { account: who, scopes: ['events:read'], keyId: 'test' });
      const url = parameters.startsWith('/') ? parameters : `/v3/${DOMAIN}/events?${parameters}`;
      const response = await app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
      return { status: response.statusCode, body: response.json() };
    },
    cutOff: async (address) => {
      const [subject] = await ingest.subjectsFor(account, [address]);
      await withClient(vaultDatabase.adminUrl, (admin) =>
        admin.query('update vault.subject set cut_off = now() where subject_id = $1', [subject]),
      );
    },
    close: async () => {
      await app.close();
      heartbeats.stop();
      await Promise.all([events.close(1_000), settings.close(1_000), ingest.close(), accounts.close()]);
      await fetch(`${stores.elasticsearch}/_index_template/${suite}-events`, { method: 'DELETE' });
      await Promise.all([vaultDatabase.drop(), deleteTopics(stores, `${suite}-`)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function sealedEvent(vault: Vault, account: string, domainId: string, mail: Mail): Promise<MailEvent> {
  const { to, from = 'Alice <alice@sender.example>', at = Date.now(), type = 'accepted' } = mail;
  const [, name = '', address = from] = /^(.*?) <(.*)>$/.exec(from) ?? [];
  const messageId = randomUUIDv7();
  const period = periodOf('e30', at);
  const [subject, sender] = (await vault.subjectsFor(account, [to, address])) as [string, string];
  const envelope: Envelope = {
    address: to,
    subject: mail.subject ?? 'Hello there',
    messageIdHeader: `${messageId}@events.example`,
    bodyHash: 'x',
    attachments: [{ filename: 'Report May.pdf', contentType: 'application/pdf', size: 9 }],
    tags: mail.tags ?? [],
    variables: mail.variables ?? { order: '42' },
    ...(mail.originatingIp ? { originatingIp: mail.originatingIp } : {}),
  };
  const bound = { account, period };
  const about = {
    id: eventId(messageId, 0, type === 'accepted' ? 0 : 1, type),
    at,
    accountId: account,
    domainId,
    messageId,
    ordinal: 0,
    period,
    size: mail.size ?? 1_000,
    testMode: false,
    recipient: {
      subject,
      role: 'to' as const,
      envelope: await vault.seal(
        { ...bound, subject, type: 'envelope', recordId: recordId(messageId, mail.poisoned ? 7 : 0) },
        envelope,
      ),
    },
    related: [
      {
        role: 'from' as const,
        subject: sender,
        person: await vault.seal({ ...bound, subject: sender, type: 'person', recordId: messageId }, { address, name }),
      },
    ],
  };
  const deliveryStatus = { code: 550, attempt: 1, sessionSeconds: 0.5, tls: true, maybeDuplicate: false };
  if (type === 'accepted') return { ...about, type, method: 'http', keyId: 'key' };
  if (type === 'delivered') return { ...about, type, deliveryStatus: { ...deliveryStatus, code: 250 } };
  return { ...about, type, severity: 'permanent', reason: 'bounce', noSuchMailbox: false, deliveryStatus };
}
