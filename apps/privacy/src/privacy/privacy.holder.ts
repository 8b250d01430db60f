import type { Reading } from '@lethe/contracts';
import { Database } from '@lethe/database';
import {
  counted,
  type ClosingScope,
  type Counts,
  type Erased,
  type ErasureScope,
  measureTables,
  PersonalDataHolder,
  type Scope,
} from '@lethe/privacy-holder';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { STORES } from './stores.ts';

/** Pseudonyms that led from requests which are over to these people. */
const LEFT = `from request_subject rs join request r on r.id = rs.request_id
  where r.account_id = $2 and rs.subject_ids && $1::uuid[] and rs.pseudonym is not null and r.state in ('completed', 'cancelled', 'refused')`;

/** What this service itself has of people: pseudonyms of requests, and, for all, the keys in the vault. */
@Injectable()
export class PrivacyHolder extends PersonalDataHolder {
  constructor(
    private readonly database: Database,
    private readonly keeper: VaultKeeper,
  ) {
    super();
  }

  /** Nothing is sent from here, and orders write pseudonyms of new requests alone. */
  async fence(): Promise<void> {}

  /** A request forgets its pseudonyms when it is over; what a kill left is removed here. The keys go with the ledger. */
  async erase({ accountId, subjects }: ErasureScope): Promise<Erased> {
    const { rowCount } = await this.database.pool.query(
      `update request_subject set pseudonym = null where (request_id, subject, identifier) in
         (select rs.request_id, rs.subject, rs.identifier ${LEFT})`,
      [[...subjects], accountId],
    );
    const counts = counted({ 'request-subject': rowCount ?? 0 });
    return { found: counts, removed: counts };
  }

  /** Keys are counted here alone: the cut-off took the names away, so that a survey counts no name as a key. */
  async verify({ accountId, subjects }: Scope): Promise<Counts> {
    const ids = [...subjects];
    const [{ rows }, { secrets, names }] = await Promise.all([
      this.database.pool.query<{ left: number }>(`select count(*)::int as left ${LEFT}`, [ids, accountId]),
      this.keeper.residual(ids),
    ]);
    return counted({ 'request-subject': rows[0]?.left ?? 0, key: secrets + names });
  }

  async fenceAccount(): Promise<void> {}

  /**
   * Requests stay, with their certificates, as ids, times and numbers: proof of what was done outlives whom it was done for. What was
   * typed beside them, and whom they were about, goes.
   */
  async eraseAccount({ accountId }: ClosingScope): Promise<Erased> {
    const counts = await this.database.withClientTransaction(async (client) => {
      const { rowCount: typed } = await client.query(
        `update request set override_reason = null, reference = null, reference_hash = null
         where account_id = $1 and (override_reason is not null or reference is not null or reference_hash is not null)`,
        [accountId],
      );
      const { rowCount: people } = await client.query(
        'delete from request_subject where request_id in (select id from request where account_id = $1)',
        [accountId],
      );
      const { rowCount: keys } = await client.query('delete from idempotency where account_id = $1', [accountId]);
      return counted({ request: (typed ?? 0) + (keys ?? 0), 'request-subject': people ?? 0 });
    });
    return { found: counts, removed: counts };
  }

  /** Keys, too: those of people are there until they are released, the account's are gone since the cut-off. */
  async verifyAccount({ accountId }: ClosingScope): Promise<Counts> {
    const [{ rows }, { accounts: account, secrets: key, names: name }] = await Promise.all([
      this.database.pool.query<{ request: number; people: number }>(
        `select (
           (select count(*) from request
            where account_id = $1 and (override_reason is not null or reference is not null or reference_hash is not null))
           + (select count(*) from idempotency where account_id = $1))::int as request,
           (select count(*) from request_subject rs join request r on r.id = rs.request_id where r.account_id = $1)::int as people`,
        [accountId],
      ),
      this.keeper.accountResidual(accountId),
    ]);
    const { request = 0, people = 0 } = rows[0] ?? {};
    return counted({ request, 'request-subject': people, key, name, account });
  }

  measure(): Promise<Reading[]> {
    return measureTables(this.database.pool, STORES);
  }
}
