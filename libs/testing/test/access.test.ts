import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, createTopics, createVault, deleteTopics, until, withClient } from '@lethe/testing';
import type { SuiteDatabase, SuiteVault } from '@lethe/testing';
import type { Service } from '@lethe/contracts';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

const stores = inject('stores');
const suite = `t${randomUUID().slice(0, 8)}`;

function kafkaAs(service: Service) {
  const { username, password } = stores.kafka.users[service];
  return new Kafka({
    clientId: service,
    brokers: stores.kafka.brokers,
    sasl: { mechanism: 'scram-sha-512', username, password },
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 50 },
  });
}

async function produceAs(service: Service, topic: string, value: string): Promise<void> {
  const producer = kafkaAs(service).producer({ idempotent: true, retry: { retries: 1 } });
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages: [{ key: 'k', value }] });
  } finally {
    await producer.disconnect();
  }
}

/** Reads until the first record. */
async function readAs(service: Service, groupId: string, topic: string): Promise<string> {
  const consumer = kafkaAs(service).consumer({ groupId, retry: { retries: 1, restartOnFailure: async () => false } });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    return await new Promise<string>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) =>
        resolve(message.value?.toString() ?? '');
      consumer.run({ eachMessage }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
}

describe('Kafka', () => {
  const prefix = `${suite}-`;
  const topic = `${prefix}mail-accepted`;
  const declared = {
    name: 'mail-accepted',
    producers: ['ingest'],
    consumers: ['delivery'],
    deadLetter: 'mail-accepted-dead-letter',
    partitions: 1,
    cleanup: { kind: 'time-limited', limitMs: 86_400_000 },
  } as const;

  beforeAll(() => createTopics(stores, prefix, [declared]));
  afterAll(() => deleteTopics(stores, prefix));

  it('lets the producer write and the consumer read, in groups of its own name with and without the prefix', async () => {
    await produceAs('ingest', topic, 'hello');
    expect(await readAs('delivery', `${prefix}delivery-mail-accepted`, topic)).toBe('hello');
    expect(await readAs('delivery', `delivery-${suite}`, topic)).toBe('hello');
  });

  it('refuses everybody else', async () => {
    await expect(produceAs('delivery', topic, 'x')).rejects.toThrow(/[Nn]ot authorized/);
    await expect(produceAs('events', topic, 'x')).rejects.toThrow(/[Nn]ot authorized/);
    await expect(readAs('ingest', `ingest-${suite}`, topic)).rejects.toThrow(/[Nn]ot authorized/);
  });

  it("refuses another service's group", async () => {
    // kafkajs's words for a refused group.
    await expect(readAs('delivery', `ingest-${suite}`, topic)).rejects.toThrow(/group coordinator|[Nn]ot authorized/);
  });

  it('creates no topic because somebody wrote to it', async () => {
    await expect(produceAs('ingest', `${prefix}mistyped`, 'x')).rejects.toThrow();
  });
});

describe('PostgreSQL', () => {
  let ingest: SuiteDatabase;
  let accounts: SuiteDatabase;

  beforeAll(async () => {
    ingest = await createDatabase(stores, 'ingest', suite);
    accounts = await createDatabase(stores, 'accounts', suite);
    await withClient(ingest.url, (client) =>
      client.query(`
        CREATE TABLE public.messages (id text PRIMARY KEY);
        CREATE TABLE bodies.segment (id text PRIMARY KEY);
        INSERT INTO bodies.segment VALUES ('a');
      `),
    );
  });
  afterAll(async () => {
    await ingest.drop();
    await accounts.drop();
  });

  it("lets no role into another service's database", async () => {
    await expect(withClient(accounts.urlFor('ingest'), async () => {})).rejects.toThrow(
      'permission denied for database',
    );
    await expect(withClient(ingest.urlFor('accounts'), async () => {})).rejects.toThrow(
      'permission denied for database',
    );
    const inPlace = new URL(stores.postgres.urls.events);
    inPlace.pathname = '/privacy';
    await expect(withClient(inPlace.href, async () => {})).rejects.toThrow('permission denied for database');
  });

  it('lets delivery read and shred bodies, not write them, and see nothing else of ingest', async () => {
    await withClient(ingest.urlFor('delivery'), async (client) => {
      expect((await client.query('SELECT id FROM bodies.segment')).rows).toEqual([{ id: 'a' }]);
      await expect(client.query("INSERT INTO bodies.segment VALUES ('b')")).rejects.toThrow('permission denied');
      await expect(client.query('SELECT 1 FROM public.messages')).rejects.toThrow('permission denied');
      await expect(client.query('CREATE TABLE bodies.mine ()')).rejects.toThrow('permission denied');
      expect((await client.query('DELETE FROM bodies.segment')).rowCount).toBe(1);
    });
  });

  it('logs no value of a refused row', async () => {
    const planted = `planted-${randomUUID()}`;
    const failure = `relation_${suite}`;
    await withClient(accounts.url, async (client) => {
      await client.query('CREATE TABLE person (address text UNIQUE)');
      await client.query('INSERT INTO person VALUES ($1)', [planted]);
      await expect(client.query('INSERT INTO person VALUES ($1)', [planted])).rejects.toThrow('duplicate key');
      await expect(client.query(`INSERT INTO person VALUES ('${planted}')`)).rejects.toThrow('duplicate key');
      await expect(client.query(`SELECT '${planted}' FROM ${failure}`)).rejects.toThrow('does not exist');
    });
    const log = () => readFileSync(join(stores.logs.postgres, 'postgres.log'), 'utf8');
    // The last error is in the log, so the ones before it are too.
    expect(await until(() => log().includes(failure), 5_000)).toBe(true);
    expect(log()).not.toContain(planted);
  });
});

describe('the vault', () => {
  let vault: SuiteVault;

  beforeAll(async () => {
    vault = await createVault(stores, suite);
    await withClient(vault.ownerUrl, (client) =>
      client.query(`
        CREATE TABLE vault.subject (id text);
        CREATE FUNCTION vault.one() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
        CREATE FUNCTION vault.two() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 2';
        GRANT EXECUTE ON FUNCTION vault.one() TO ingest;
      `),
    );
  });
  afterAll(() => vault.drop());

  it('lets a service call what it was granted, and nothing else', async () => {
    await withClient(vault.urls.ingest, async (client) => {
      expect((await client.query('SELECT vault.one() AS n')).rows).toEqual([{ n: 1 }]);
      await expect(client.query('SELECT vault.two()')).rejects.toThrow('permission denied for function');
      await expect(client.query('SELECT * FROM vault.subject')).rejects.toThrow('permission denied for table');
    });
    await withClient(vault.urls.delivery, (client) =>
      expect(client.query('SELECT vault.one()')).rejects.toThrow('permission denied for function'),
    );
  });

  it('lets privacy do the physical pass, where the owner lets it', async () => {
    await withClient(vault.ownerUrl, (client) => client.query('GRANT MAINTAIN ON vault.subject TO privacy'));
    await withClient(vault.urls.privacy, async (client) => {
      await client.query('VACUUM FULL vault.subject');
      await client.query('SELECT pg_switch_wal()');
      await client.query('CHECKPOINT');
    });
    await withClient(vault.urls.ingest, (client) =>
      expect(client.query('SELECT pg_switch_wal()')).rejects.toThrow('permission denied'),
    );
  });
});
