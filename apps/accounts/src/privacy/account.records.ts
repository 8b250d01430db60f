import { Database } from '@lethe/database';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Domain } from '../domains/domain.entity.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { STORES } from './stores.ts';

/** Every table that tells accounts apart, what belongs to others first: `STORES` has them in the other order. */
const TABLES = STORES.filter(({ table, columns }) => table !== undefined && 'account_id' in columns).toReversed();

/** Recipients of its sandbox and users, who are people, and all else, which is the account's own. */
export type Holdings = Readonly<Record<'sandbox-recipient' | 'user' | 'record', number>>;

const PEOPLE: Readonly<Record<string, keyof Holdings>> = {
  'accounts.sandbox_recipient': 'sandbox-recipient',
  'accounts.account_user': 'user',
};
const kindOf = (store: string): keyof Holdings => PEOPLE[store] ?? 'record';

/** All rows of an account that is closed, in whatever table: a new one is taken with the rest. */
@Injectable()
export class AccountRecords {
  constructor(
    private readonly database: Database,
    private readonly settings: SettingsPublisher,
  ) {}

  count(accountId: string): Promise<Holdings> {
    return this.each(this.database.dataSource.manager, (table, column) => [
      `SELECT count(*)::int AS rows FROM ${table} WHERE ${column} = $1`,
      [accountId],
    ]);
  }

  /** Also says to everybody that the account and its domains are no more. */
  erase(accountId: string): Promise<Holdings> {
    return this.settings.end(accountId, async (manager, records) => {
      for (const { id } of await manager.findBy(Domain, { accountId })) records.push(...this.settings.domainGone(id));
      return this.each(manager, (table, column) => [
        `WITH gone AS (DELETE FROM ${table} WHERE ${column} = $1 RETURNING 1) SELECT count(*)::int AS rows FROM gone`,
        [accountId],
      ]);
    });
  }

  private async each(
    manager: EntityManager,
    statement: (table: string, column: string) => [string, unknown[]],
  ): Promise<Holdings> {
    const holdings = { 'sandbox-recipient': 0, user: 0, record: 0 };
    const tables = TABLES.map(({ store, table = '' }) => ({ store, table, column: 'account_id' }));
    for (const { store, table, column } of [...tables, { store: 'accounts.account', table: 'account', column: 'id' }]) {
      const [found] = await manager.query<{ rows: number }[]>(...statement(table, column));
      holdings[kindOf(store)] += found?.rows ?? 0;
    }
    return holdings;
  }
}
