import { readFileSync } from 'node:fs';
import { KeyProof, sealedValuesIn, vaultSecrets, withClient, type SealedBody, type SealedValue } from '@lethe/testing';
import { Kafka, logLevel, type KafkaMessage } from 'kafkajs';
import type { OwnPlatform } from './own-platform.ts';

/** What somebody may have copied from the disks at a moment. */
export interface Saved {
  /** Every sealed value in Kafka's and PostgreSQL's files. */
  readonly values: readonly SealedValue[];
  readonly bodies: readonly SealedBody[];
  /** Whole, as they were published. */
  readonly events: readonly SavedRecord[];
}

export interface SavedRecord {
  readonly partition: number;
  readonly message: Pick<KafkaMessage, 'key' | 'value' | 'headers'>;
}

export async function save(own: OwnPlatform): Promise<Saved> {
  const { data, postgres } = own.running.stores;
  const { rows } = await withClient(postgres.bodies.ingest, (client) =>
    client.query<{ message_id: string; bytes: Buffer }>('SELECT message_id, bytes FROM bodies.body WHERE segments = 1'),
  );
  return {
    values: await sealedValuesIn([data.kafka, data.postgres]),
    bodies: rows.map(({ message_id: messageId, bytes }) => ({ messageId, octets: bytes })),
    events: await recordsOf(own, 'mail-events'),
  };
}

/** Tries to open what was saved with every secret that is left now, in the vault and in configuration. */
export async function keysLeft(own: OwnPlatform): Promise<KeyProof> {
  const { kekFile, destinationKey } = own.platform.secrets;
  const url = new URL(own.running.stores.vault.adminUrl);
  url.pathname = '/vault';
  const secrets = await vaultSecrets(url.href, kekFile);
  return new KeyProof(
    secrets,
    [readFileSync(kekFile, 'utf8').trim(), destinationKey].map((hex) => Buffer.from(hex, 'hex')),
  );
}

/** Publishes saved records again, as a producer would that had hung since then. */
export async function replay(own: OwnPlatform, records: readonly SavedRecord[]): Promise<void> {
  const producer = kafkaOf(own).producer();
  await producer.connect();
  const messages = records.map(({ partition, message: { key, value, headers } }) => ({
    partition,
    key,
    value,
    ...(headers && { headers }),
  }));
  await producer.send({ topic: 'mail-events', messages });
  await producer.disconnect();
}

async function recordsOf(own: OwnPlatform, topic: string): Promise<SavedRecord[]> {
  const kafka = kafkaOf(own);
  const admin = kafka.admin();
  await admin.connect();
  const bounds = await admin.fetchTopicOffsets(topic);
  const expected = bounds.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  const records: SavedRecord[] = [];
  const groupId = `saving-${process.pid}-${Date.now()}`;
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    if (expected === 0) resolve();
    consumer
      .run({
        eachMessage: async ({ partition, message }) => {
          records.push({ partition, message });
          if (records.length >= expected) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  await admin.deleteGroups([groupId]);
  await admin.disconnect();
  return records;
}

function kafkaOf({ stores: { kafka } }: OwnPlatform): Kafka {
  return new Kafka({
    brokers: [...kafka.brokers],
    sasl: { mechanism: 'scram-sha-512', ...kafka.admin },
    logLevel: logLevel.NOTHING,
  });
}
