import type { Reading } from '@lethe/contracts';
import { Database } from '@lethe/database';
import {
  counted,
  measureTables,
  patience,
  PersonalDataHolder,
  type ClosingScope,
  type Counts,
  type Erased,
  type Scope,
} from '@lethe/privacy-holder';
import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { Domain } from '../domains/domain.entity.ts';
import { SandboxRecipientRow } from '../sandbox/sandbox-recipient.entity.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { AccountRecords } from './account.records.ts';
import { STORES } from './stores.ts';

/** Rows of what Kafka has go a moment later; who asks asks again. */
const TOLD_WITHIN_MS = 5_000;
/** What a subject id looks like. */
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** What may name a subject: those whom a sandbox sends to, and a domain's record on its way that says so. */
const OF_PEOPLE = new Set(['accounts.sandbox_recipient', 'accounts.outbox']);

/**
 * Keys and domains are the account's; people are here only as recipients of a sandbox domain. That nothing else names a subject is
 * looked up each time, not assumed: an id that turns up in another table is a fault of ours, and fails the erasure until it is
 * mended.
 */
@Injectable()
export class AccountsHolder extends PersonalDataHolder {
  constructor(
    private readonly database: Database,
    private readonly settings: SettingsPublisher,
    private readonly accounts: AccountRecords,
  ) {
    super();
  }

  /** A person is approved within a change of the account, and the vault refuses those that begin now. */
  fence({ accountId }: Scope): Promise<void> {
    return this.settings.fence(accountId);
  }

  /** The sandbox sends to nobody who is erased, within a second: its record goes out without them. */
  async erase(scope: Scope): Promise<Erased> {
    await this.look(scope);
    const { accountId, subjects } = scope;
    if ((await this.approved(scope)) === 0) return { found: {}, removed: {} };
    const removed = await this.settings.change(accountId, async (manager, records) => {
      const { affected } = await manager.delete(SandboxRecipientRow, { accountId, subjectId: In([...subjects]) });
      for (const domain of await manager.findBy(Domain, { accountId, sandbox: true })) {
        records.push(...(await this.settings.domain(manager, domain)));
      }
      return affected ?? 0;
    });
    return { found: countOf(removed), removed: countOf(removed) };
  }

  async verify(scope: Scope): Promise<Counts> {
    await this.look(scope);
    return countOf(await this.approved(scope));
  }

  fenceAccount({ accountId }: ClosingScope): Promise<void> {
    return this.settings.fence(accountId);
  }

  async eraseAccount({ accountId }: ClosingScope): Promise<Erased> {
    if (Object.keys(counted(await this.accounts.count(accountId))).length === 0) return { found: {}, removed: {} };
    const removed = counted(await this.accounts.erase(accountId));
    return { found: removed, removed };
  }

  /** Throws while others have not been told yet that it is no more. */
  async verifyAccount({ accountId, domains }: ClosingScope): Promise<Counts> {
    const again = patience(TOLD_WITHIN_MS, 'queue of settings');
    while (await this.settings.isWaiting([accountId, ...domains])) await again();
    return counted(await this.accounts.count(accountId));
  }

  measure(): Promise<Reading[]> {
    return measureTables(this.database.pool, STORES);
  }

  private approved({ accountId, subjects }: Scope): Promise<number> {
    return this.database.dataSource.manager.countBy(SandboxRecipientRow, { accountId, subjectId: In([...subjects]) });
  }

  /** Reads whole rows, of this account where a table tells accounts apart: an account has some keys and some domains. */
  private async look({ accountId, subjects }: Scope): Promise<void> {
    for (const { store, table, columns } of STORES) {
      if (OF_PEOPLE.has(store)) continue;
      const whose = 'account_id' in columns ? 't.account_id::text = $2' : '$2::text IS NOT NULL';
      const { rows } = await this.database.pool.query<{ named: boolean }>(
        `SELECT EXISTS (
           SELECT FROM ${table} t, regexp_matches(t::text, $3, 'g') AS met(ids) WHERE ${whose} AND met.ids[1] = ANY($1)
         ) AS named`,
        [[...subjects], accountId, UUID],
      );
      if (rows[0]?.named) throw new Error(`${table} names a subject: this service is to hold nobody's records there`);
    }
  }
}

const countOf = (people: number): Counts => (people === 0 ? {} : { 'sandbox-recipient': people });
