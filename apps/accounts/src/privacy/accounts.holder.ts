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
import { UserRow } from '../users/user.entity.ts';
import { AccountRecords } from './account.records.ts';
import { STORES } from './stores.ts';

/** Rows of what Kafka has go a moment later; who asks asks again. */
const TOLD_WITHIN_MS = 5_000;
/** What a subject id looks like. */
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** What may name a subject: those whom a sandbox sends to, a domain's record on its way that says so, and users. */
const OF_PEOPLE = new Set(['accounts.sandbox_recipient', 'accounts.account_user', 'accounts.outbox']);

/**
 * Keys and domains are the account's; people are here only as recipients of a sandbox domain and as users. That nothing else names a
 * subject is looked up each time, not assumed: an id that turns up in another table is a fault of ours, and fails the erasure until it is
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

  /** Whoever is erased is signed out, and the sandbox sends them nothing, within a second: the records go out without them. */
  async erase(scope: Scope): Promise<Erased> {
    await this.look(scope);
    const { accountId } = scope;
    if (Object.keys(await this.count(scope)).length === 0) return { found: {}, removed: {} };
    const removed = await this.settings.change(accountId, async (manager, records) => {
      const recipients = await manager.delete(SandboxRecipientRow, of(scope));
      const users = await manager.delete(UserRow, of(scope));
      for (const domain of await manager.findBy(Domain, { accountId, sandbox: true })) {
        records.push(...(await this.settings.domain(manager, domain)));
      }
      return countsOf(recipients.affected ?? 0, users.affected ?? 0);
    });
    return { found: removed, removed };
  }

  async verify(scope: Scope): Promise<Counts> {
    await this.look(scope);
    return this.count(scope);
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

  private async count(scope: Scope): Promise<Counts> {
    const { manager } = this.database.dataSource;
    return countsOf(await manager.countBy(SandboxRecipientRow, of(scope)), await manager.countBy(UserRow, of(scope)));
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

const of = ({ accountId, subjects }: Scope) => ({ accountId, subjectId: In([...subjects]) });

const countsOf = (recipients: number, users: number): Counts =>
  counted({ 'sandbox-recipient': recipients, user: users });
