import { PersonalDataHolder } from '@lethe/privacy-holder';
import type { HolderWorld } from '@lethe/privacy-holder/conformance';
import { inject } from 'vitest';
import { STORES } from '../../src/privacy/stores.ts';
import { KINDS, plantPerson, rowsOfOthers } from './plant.ts';
import { surroundings } from './surroundings.ts';

/** Ingest as a holder of personal data. `settings`: of its replica. */
export async function startWorld(settings: Record<string, string> = {}): Promise<HolderWorld> {
  const around = await surroundings(inject('stores'), settings);
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
