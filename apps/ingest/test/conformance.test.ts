import { PersonalDataHolder } from '@lethe/privacy-holder';
import { holderConformance, type HolderWorld } from '@lethe/privacy-holder/conformance';
import { inject } from 'vitest';
import { STORES } from '../src/privacy/stores.ts';
import { KINDS, plantPerson, rowsOfOthers } from './support/plant.ts';
import { surroundings } from './support/surroundings.ts';

async function startWorld(): Promise<HolderWorld> {
  const around = await surroundings(inject('stores'));
  const app = await around.replica();
  return {
    holder: app.get(PersonalDataHolder, { strict: false }),
    accountId: around.accountId,
    kinds: KINDS,
    stores: STORES,
    filled: ['ingest.message', 'ingest.body'],
    plant: () => plantPerson(around),
    others: (people) =>
      rowsOfOthers(
        around,
        people.map(({ subject }) => subject),
      ),
    close: () => around.close(),
  };
}

holderConformance('ingest', startWorld);
