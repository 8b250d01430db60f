import { randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { holderConformance } from '@lethe/privacy-holder/conformance';
import { inject } from 'vitest';
import { STORES } from '../src/privacy/stores.ts';
import { Setting } from './support/setting.ts';

holderConformance('privacy', async () => {
  const setting = await new Setting(inject('stores')).open();
  const app = await setting.start();
  const { database } = setting;
  // The vault does not know it, as it does not know the people: what is counted is this service's own.
  const account = randomUUID();
  return {
    holder: app.get(PersonalDataHolder, { strict: false }),
    accountId: account,
    // Keys are counted by `verify` alone: what destroys them is the ledger.
    kinds: ['request-subject'],
    stores: STORES,
    filled: [],
    /** A request that is over, and still has the pseudonym of its person: a kill between the two. */
    async plant() {
      const subject = randomUUID();
      const id = randomUUIDv7();
      await database.query(
        `insert into request (id, account_id, type, state, stage, subjects, do_not_contact, received_at, due_at)
         values ($1, $2, 'erasure', 'completed', 'done', 1, 'default', now(), now())`,
        [id, account],
      );
      await database.query(
        `insert into request_subject (request_id, subject, identifier, digest, pseudonym, subject_ids)
         values ($1, 0, 0, $2, $3, array[$4::uuid])`,
        [id, randomBytes(32), randomBytes(32), subject],
      );
      return { subject, planted: { 'request-subject': 1 } };
    },
    async others(people) {
      const ids = people.map(({ subject }) => subject);
      const { rows } = await database.query(
        `select request_id, subject, case when subject_ids && $1::uuid[] then null else pseudonym end as pseudonym, subject_ids
         from request_subject order by request_id`,
        [ids],
      );
      return rows;
    },
    close: () => setting.close(),
  };
});
