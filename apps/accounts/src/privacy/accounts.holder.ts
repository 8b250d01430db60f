import type { Reading } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { measureTables, PersonalDataHolder, type Counts, type Erased, type Scope } from '@lethe/privacy-holder';
import { Injectable } from '@nestjs/common';
import { STORES } from './stores.ts';

/** What a subject id looks like. */
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/**
 * Keys and domains are the account's: no row here is about a person, and none carries a subject id. That is looked up each time,
 * not assumed: an id that turns up in any table is a fault of ours, and fails the erasure until it is mended.
 */
@Injectable()
export class AccountsHolder extends PersonalDataHolder {
  constructor(private readonly database: Database) {
    super();
  }

  /** Nothing this service writes, publishes or sends is about a person. */
  async fence(): Promise<void> {}

  async erase(scope: Scope): Promise<Erased> {
    await this.look(scope);
    return { found: {}, removed: {} };
  }

  async verify(scope: Scope): Promise<Counts> {
    await this.look(scope);
    return {};
  }

  measure(): Promise<Reading[]> {
    return measureTables(this.database.pool, STORES);
  }

  /** Reads whole rows, of this account where a table tells accounts apart: an account has some keys and some domains. */
  private async look({ accountId, subjects }: Scope): Promise<void> {
    for (const { table, columns } of STORES) {
      const whose = 'account_id' in columns ? 't.account_id::text = $2' : '$2::text IS NOT NULL';
      const { rows } = await this.database.pool.query<{ named: boolean }>(
        `SELECT EXISTS (
           SELECT FROM ${table} t, regexp_matches(t::text, $3, 'g') AS met(ids) WHERE ${whose} AND met.ids[1] = ANY($1)
         ) AS named`,
        [[...subjects], accountId, UUID],
      );
      if (rows[0]?.named) throw new Error(`${table} names a subject: this service is to hold nobody's records`);
    }
  }
}
