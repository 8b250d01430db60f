import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import type { HolderWorld, PlantedPerson } from '@lethe/privacy-holder/conformance';
import type { Stores } from '@lethe/testing';
import { STORES } from '../../src/privacy/stores.ts';
import type { Mail } from './sealed-event.ts';
import { startSurroundings, type Surroundings } from './surroundings.ts';

/** Two events about the person, and one of each way to be mentioned in those of others. */
export const mailsOf = (address: string, others: string): Mail[] => [
  { to: address, cc: [others] },
  { to: address, type: 'failed' },
  { to: others, from: `Planted <${address}>` },
  { to: others, cc: [address, `second-${others}`] },
  { to: others, from: address, cc: [address], type: 'delivered', class: 'e1' },
];
export const PLANTED = { event: 2, mention: 3 };

export async function startEventsWorld(stores: Stores): Promise<HolderWorld> {
  const around = await startSurroundings(stores);
  const addresses = new Map<string, string>();
  let count = 0;
  return {
    holder: around.app().get(PersonalDataHolder, { strict: false }),
    accountId: around.account,
    kinds: ['event', 'mention'],
    stores: STORES,
    filled: ['events.index-e30', 'events.index-e1'],
    plant: async (): Promise<PlantedPerson> => {
      const address = `planted${(count += 1)}@people.example`;
      const subject = await around.subjectOf(address);
      addresses.set(subject, address);
      await around.publish(mailsOf(address, `other${count}@people.example`));
      // Theirs alone: those of people planted before may be erased.
      await around.indexed(5, new RegExp(`^(planted|other)${count}@`));
      return { subject, planted: PLANTED };
    },
    others: async (people) => {
      const ids = new Set(people.map(({ subject }) => subject));
      const named = new Set([...ids].map((subject) => addresses.get(subject)));
      const documents = await around.documents();
      return documents
        .filter(({ recipient_subject: subject }) => !ids.has(subject))
        .map((document) => ({
          ...document,
          subjects: document.subjects.filter((subject) => !ids.has(subject)),
          people: document.people.filter(({ subject }) => !ids.has(subject)),
          recipients: document.recipients.filter((address) => !named.has(address)),
          from: [...named].some((address) => document.from.includes(address ?? '?')) ? '' : document.from,
        }));
    },
    close: () => around.close(),
  };
}

/** Those of the words that stand in a file of the event indices, translogs included. */
export async function inFiles(around: Surroundings, stores: Stores, words: readonly string[]): Promise<string[]> {
  const pattern = `${around.prefix}events-*`;
  const indices = await around.search.call((client) =>
    client.indices.getSettings({ index: pattern, flat_settings: true }),
  );
  const uuids = Object.values(indices).map(({ settings }) => (settings as Record<string, string>)['index.uuid'] ?? '?');
  const files = uuids.flatMap((uuid) =>
    readdirSync(join(stores.data.elasticsearch, 'indices', uuid), { recursive: true, withFileTypes: true }),
  );
  const bytes = files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'));
  return words.filter((word) => bytes.some((content) => content.includes(word)));
}
