import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICES, TOPICS } from '@lethe/contracts';
import { isRunning, kafkaAdmin, processIdentity, requireFree, startStores, withClient } from '@lethe/testing';
import type { RunningStores } from '@lethe/testing';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';

// A set of its own: it is killed. Elasticsearch takes 11 s alone, minutes on a machine that is busy with other suites.
const START_MS = 240_000;
let dir: string;
let running: RunningStores;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lethe-stores-test-'));
  running = await startStores({ dir, shortLived: true });
}, START_MS);

afterAll(async () => {
  await running?.stop();
  rmSync(dir, { recursive: true, force: true });
});

it('provisions a topic per declaration, a database per owner and the vault', async () => {
  const { stores } = running;
  const topics = await kafkaAdmin(stores.kafka.brokers, stores.kafka.admin)((admin) => admin.listTopics());
  expect(topics).toEqual(expect.arrayContaining(TOPICS.flatMap((topic) => [topic.name, topic.deadLetter])));
  for (const url of Object.values(stores.postgres.urls)) await withClient(url, (client) => client.query('SELECT 1'));
  for (const service of SERVICES) {
    await withClient(stores.vault.urls[service], (client) => client.query('SELECT 1'));
  }
  expect(statSync(join(dir, 'secrets.json')).mode & 0o077).toBe(0);
});

it('says in one sentence that a port is taken', async () => {
  const port = Number(new URL(running.elasticsearch.url).port);
  await expect(requireFree(port, 'Elasticsearch')).rejects.toThrow(
    `Port ${port} (Elasticsearch) is taken by another program. Stop it, or choose another port.`,
  );
});

it(
  'keeps everything acknowledged over kill -9 and restart',
  async () => {
    const { stores, kafka, elasticsearch, postgres, vault } = running;
    const daemons = [kafka, elasticsearch, postgres, vault];
    await write(running);
    const before = daemons.flatMap((daemon) => daemon.identities());
    // The launcher and the server: killing the first alone would not be a crash of the second.
    expect(elasticsearch.identities()).toHaveLength(2);

    await Promise.all(daemons.map((daemon) => daemon.kill9()));
    expect(before.filter(isRunning)).toEqual([]);
    await Promise.all(daemons.map((daemon) => daemon.restart()));

    expect(running.stores.pids).not.toEqual(stores.pids);
    for (const pid of Object.values(running.stores.pids)) expect(processIdentity(pid)).not.toBeNull();
    expect(commandLine(running.stores.pids.elasticsearch)).toContain('org.elasticsearch.bootstrap.Elasticsearch');
    expect({ ...running.stores, pids: {} }).toEqual({ ...stores, pids: {} });
    expect(await read(running)).toEqual({ kafka: '1', elasticsearch: true, postgres: 1, vault: 1 });
  },
  2 * START_MS,
);

const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

async function write({ stores }: RunningStores): Promise<void> {
  const producer = new Kafka({
    brokers: stores.kafka.brokers,
    sasl: { mechanism: 'scram-sha-512', ...stores.kafka.users.ingest },
    logLevel: logLevel.NOTHING,
  }).producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic: 'mail-accepted', acks: -1, messages: [{ partition: 0, key: 'k', value: 'v' }] });
  await producer.disconnect();
  for (const url of [stores.postgres.urls.ingest, stores.vault.ownerUrl]) {
    const schema = url === stores.vault.ownerUrl ? 'vault' : 'public';
    await withClient(url, (client) => client.query(`CREATE TABLE ${schema}.kept AS SELECT 1 AS n`));
  }
  await fetch(`${stores.elasticsearch}/kept`, { method: 'PUT' });
  const answer = await fetch(`${stores.elasticsearch}/kept/_doc/1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
  });
  expect(answer.status).toBe(201);
}

async function read({ stores }: RunningStores) {
  const offsets = await kafkaAdmin(
    stores.kafka.brokers,
    stores.kafka.admin,
  )((admin) => admin.fetchTopicOffsets('mail-accepted'));
  const count = (url: string, table: string) =>
    withClient(url, async (client) => (await client.query(`SELECT n FROM ${table}`)).rows.length);
  const document = await fetch(`${stores.elasticsearch}/kept/_doc/1`);
  return {
    kafka: offsets.find(({ partition }) => partition === 0)?.high,
    elasticsearch: ((await document.json()) as { found: boolean }).found,
    postgres: await count(stores.postgres.urls.ingest, 'kept'),
    vault: await count(stores.vault.ownerUrl, 'vault.kept'),
  };
}
