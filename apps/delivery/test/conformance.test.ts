import { PersonalDataHolder } from '@lethe/privacy-holder';
import { holderConformance, type HolderWorld } from '@lethe/privacy-holder/conformance';
import { inject } from 'vitest';
import { DeferredRepository } from '../src/deferred/deferred.repository.ts';
import { STORES } from '../src/privacy/stores.ts';
import { KINDS, plantPerson, rowsOfOthers } from './support/plant.ts';
import { startDelivery } from './support/start.ts';
import { surroundings } from './support/surroundings.ts';

async function startWorld(): Promise<HolderWorld> {
  const around = await surroundings(inject('stores'));
  const { app } = await startDelivery(around.environment);
  return {
    holder: app.get(PersonalDataHolder, { strict: false }),
    accountId: around.accountId,
    kinds: KINDS,
    stores: STORES,
    filled: ['delivery.deferred'],
    plant: () => plantPerson(around, app.get(DeferredRepository)),
    others: (people) =>
      rowsOfOthers(
        around,
        people.map(({ subject }) => subject),
      ),
    async close() {
      await app.close();
      await around.end();
    },
  };
}

holderConformance('delivery', startWorld);
