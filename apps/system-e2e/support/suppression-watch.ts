import { Kafka, logLevel, type Consumer } from 'kafkajs';
import { SUPPRESSION_ENTRIES } from '@lethe/contracts';
import { normalForm } from '@lethe/mail';
import { kafkaAdmin, until } from '@lethe/testing';
import { readKek, Vault } from '@lethe/vault';
import type { OwnPlatform } from './own-platform.ts';

/**
 * Reads `suppression-entries` as they are written: since when mail to whom is stopped, by Kafka's timestamp. Later they are compacted,
 * and an entry that was published twice would look younger than it is.
 */
export class SuppressionWatch {
  /** The first time of each pseudonym's entries, epoch ms. */
  readonly #since = new Map<string, number>();
  /** Next offset, by partition. */
  readonly #read = new Map<number, number>();
  readonly #own: OwnPlatform;
  readonly #consumer: Consumer;

  private constructor(own: OwnPlatform) {
    this.#own = own;
    const { brokers, admin } = own.stores.kafka;
    const sasl = { mechanism: 'scram-sha-512', ...admin } as const;
    const kafka = new Kafka({ brokers: [...brokers], sasl, logLevel: logLevel.NOTHING });
    this.#consumer = kafka.consumer({ groupId: 'suppression-watch', retry: { restartOnFailure: async () => true } });
  }

  static async start(own: OwnPlatform): Promise<SuppressionWatch> {
    const watch = new SuppressionWatch(own);
    const consumer = watch.#consumer;
    await consumer.connect();
    await consumer.subscribe({ topics: [SUPPRESSION_ENTRIES.name], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message: { key, value, timestamp, offset } }) => {
        watch.#read.set(partition, Number(offset) + 1);
        const [pseudonym = ''] = (key?.toString() ?? '').split(':');
        if (value === null || pseudonym === 'heartbeat') return;
        watch.#since.set(pseudonym, Math.min(watch.#since.get(pseudonym) ?? Infinity, Number(timestamp)));
      },
    });
    return watch;
  }

  /** Reads what is there by now and ends. @returns since when mail to each of `addresses` is stopped; those that are not are left out. */
  async finish(addresses: readonly string[]): Promise<Map<string, number>> {
    const { brokers, admin } = this.#own.stores.kafka;
    const ends = await kafkaAdmin(brokers, admin)((client) => client.fetchTopicOffsets(SUPPRESSION_ENTRIES.name));
    const reached = () => ends.every(({ partition, high }) => (this.#read.get(partition) ?? 0) >= Number(high));
    if (!(await until(reached, 60_000))) throw new Error('the entries cannot be read to their end');
    await this.#consumer.disconnect();
    const pseudonyms = await pseudonymsOf(this.#own, addresses);
    return new Map(
      addresses.flatMap((address, index) => {
        const since = this.#since.get(pseudonyms[index] ?? '');
        return since === undefined ? [] : [[address, since] as const];
      }),
    );
  }
}

async function pseudonymsOf(own: OwnPlatform, addresses: readonly string[]): Promise<string[]> {
  const kek = await readKek(own.platform.secrets.kekFile);
  const vault = new Vault({ url: own.stores.vault.urls.ingest, kek });
  try {
    vault.start();
    await vault.ready();
    const pseudonyms = await vault.pseudonyms(own.demo.accountId, addresses.map(normalForm));
    return pseudonyms.map((pseudonym) => pseudonym.toString('base64url'));
  } finally {
    await vault.close();
  }
}
