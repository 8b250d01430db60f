import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaAdmin, withClient, type Needle } from '@lethe/testing';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import type { OwnPlatform } from './own-platform.ts';

/** A mark that was put somewhere, and where the scan must find it. */
export interface Planted {
  readonly needle: Needle;
  readonly layers: readonly string[];
}

/** Plants a mark in each store, deleted where things can be deleted, and in a log. */
export async function plantEverywhere(own: OwnPlatform): Promise<Planted[]> {
  return [
    ...(await plantInPostgres(own.stores.postgres.adminUrl, 'PostgreSQL')),
    ...(await plantInPostgres(own.stores.vault.adminUrl, 'the vault')),
    ...(await plantInKafka(own)),
    ...(await plantInElasticsearch(own)),
    plantInLog(own),
  ];
}

function mark(name: string): Needle {
  return { name, value: `planted+${randomBytes(6).toString('hex')}@world.example` };
}

/** Compresses, and does not stand in the result in one piece. */
const long = ({ value }: Needle): string => `${'planted+ @world.example '.repeat(150)}${value}`;

async function plantInPostgres(adminUrl: string, where: string): Promise<Planted[]> {
  const [row, deleted, compressed, hashed] = ['row', 'deleted row', 'deleted compressed row', 'hash'].map((what) =>
    mark(`${what} in ${where}`),
  ) as [Needle, Needle, Needle, Needle];
  await withClient(adminUrl, async (client) => {
    await client.query('CREATE TABLE planted (id int, t text) WITH (autovacuum_enabled = off)');
    await client.query(
      `INSERT INTO planted VALUES (1, $1), (2, $2), (2, $3), (1, encode(sha256($4::text::bytea), 'hex'))`,
      [row.value, deleted.value, long(compressed), hashed.value],
    );
    await client.query('DELETE FROM planted WHERE id = 2');
    await client.query('CHECKPOINT');
  });
  return [
    { needle: row, layers: ['', 'rows'] },
    { needle: deleted, layers: [''] },
    { needle: compressed, layers: ['pglz'] },
    { needle: hashed, layers: ['', 'rows'] },
  ];
}

async function plantInKafka(own: OwnPlatform): Promise<Planted[]> {
  const { brokers, admin } = own.stores.kafka;
  const [plain, packed] = [mark('record'), mark('compressed record')];
  await kafkaAdmin(brokers, admin)((client) => client.createTopics({ topics: [{ topic: 'planted' }] }));
  const producer = new Kafka({
    brokers,
    sasl: { mechanism: 'scram-sha-512', ...admin },
    logLevel: logLevel.NOTHING,
  }).producer();
  await producer.connect();
  await producer.send({ topic: 'planted', messages: [{ key: plain.value, value: 'x' }] });
  await producer.send({ topic: 'planted', compression: CompressionTypes.GZIP, messages: [{ value: long(packed) }] });
  await producer.disconnect();
  return [
    { needle: plain, layers: [''] },
    { needle: packed, layers: ['kafka gzip'] },
  ];
}

/** Deleted, but not merged away: in the way an erasure that forgot half of its work would leave it. */
async function plantInElasticsearch(own: OwnPlatform): Promise<Planted[]> {
  const needle = mark('deleted document');
  const at = async (method: string, path: string, body?: object): Promise<void> => {
    const response = await fetch(`${own.stores.elasticsearch}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}`);
  };
  await at('PUT', 'planted', { settings: { number_of_replicas: 0 } });
  await at('PUT', 'planted/_doc/1', { address: needle.value, filler: long(needle) });
  await at('POST', 'planted/_flush?force=true');
  await at('DELETE', 'planted/_doc/1?refresh=true');
  await at('POST', 'planted/_flush?force=true');
  return [{ needle, layers: ['lucene stored', 'lucene terms'] }];
}

function plantInLog(own: OwnPlatform): Planted {
  const needle = mark('log line');
  const line = Buffer.from(`Cc: ${needle.value}`).toString('base64');
  appendFileSync(join(own.platform.logDir, 'gateway.log'), `{"msg":"${line}"}\n`);
  return { needle, layers: [''] };
}
