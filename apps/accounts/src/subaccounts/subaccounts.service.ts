import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { AccountName } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { ApiError } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { AccountsService, assertOpen } from '../accounts/accounts.service.ts';
import { ApiKey } from '../keys/api-key.entity.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';

/** Each is an account with secrets of its own in the vault. */
const MAX_SUBACCOUNTS = 1_000;

export interface Subaccount {
  readonly account: Account;
  readonly name: string;
}

/**
 * Accounts that belong to another: a parent makes them, lets them send or not, and acts for them (the gateway sees to whose they
 * are). All else is theirs as any account's: domains, keys, people.
 */
@Injectable()
export class SubaccountsService {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly settings: SettingsPublisher,
    private readonly accounts: AccountsService,
  ) {}

  /** Oldest first, and how many there are in all. */
  async list(
    caller: Identity,
    page: { limit: number; skip: number; enabled?: boolean | undefined },
  ): Promise<[Subaccount[], number]> {
    const [accounts, total] = await this.database.dataSource.manager.findAndCount(Account, {
      where: { parentId: caller.account, ...(page.enabled === undefined ? {} : { disabled: !page.enabled }) },
      order: { id: 'ASC' },
      take: page.limit,
      skip: page.skip,
    });
    return [await Promise.all(accounts.map((account) => this.named(account))), total];
  }

  /** Throws ApiError 404, also for another account's. */
  async get(caller: Identity, id: string): Promise<Subaccount> {
    return this.named(await find(this.database.dataSource.manager, caller, id));
  }

  /** Throws ApiError 403 for who may have none, 400 for too many. */
  async create(caller: Identity, name: string): Promise<Subaccount> {
    const { manager } = this.database.dataSource;
    const parent = await manager.findOneByOrFail(Account, { id: caller.account });
    if (parent.parentId !== null) throw new ApiError(403, 'A subaccount has no subaccounts');
    if (parent.state !== 'active') throw new ApiError(403, 'A suspended account makes no subaccounts');
    if ((await manager.countBy(Account, { parentId: parent.id })) >= MAX_SUBACCOUNTS) {
      throw new ApiError(400, `name: an account has at most ${MAX_SUBACCOUNTS} subaccounts`, { field: 'name' });
    }
    const id = randomUUIDv7();
    // The vault comes first: secrets without an account do no harm, the reverse would.
    await this.vault.ensureAccount(id);
    const part: AccountName = { name };
    const seal = { account: id, period: 'standing', type: 'account-name', recordId: id } as const;
    const sealed = await this.vault.sealForAccount(seal, part);
    const account = await this.settings.change(id, async (transaction) => {
      // Whoever closes the parent waits for this, or has been faster.
      const locked = { where: { id: parent.id, state: 'active' }, lock: { mode: 'pessimistic_read' } } as const;
      if (!(await transaction.findOne(Account, locked))) throw new ApiError(403, 'The account is closed');
      await transaction.insert(Account, { id, state: 'active', parentId: parent.id, name: sealed });
      return transaction.findOneByOrFail(Account, { id });
    });
    return { account, name };
  }

  /** A disabled one is suspended, until its parent enables it; what the operator suspended stays so. Throws ApiError 404. */
  async setDisabled(caller: Identity, id: string, disabled: boolean): Promise<Subaccount> {
    return this.update(caller, id, { disabled });
  }

  /** Recipients a month; null: no limit. Throws ApiError 404. */
  async setMonthLimit(caller: Identity, id: string, ownMonthLimit: number | null): Promise<void> {
    await this.update(caller, id, { ownMonthLimit });
  }

  /**
   * `caller`: a key of the parent that acts for the subaccount. Throws ApiError 403 for a key of its own, 400 where no subaccount is
   * named.
   */
  async close({ account: id, keyId }: Identity): Promise<Account> {
    const { manager } = this.database.dataSource;
    const { parentId } = await this.accounts.get(id);
    if (parentId === null) {
      throw new ApiError(400, 'X-Mailgun-On-Behalf-Of: is missing: it names the subaccount to delete');
    }
    if (!(await manager.existsBy(ApiKey, { id: keyId, accountId: parentId }))) {
      throw new ApiError(403, 'A subaccount is deleted by a key of its parent');
    }
    return this.accounts.close(id, keyId);
  }

  private async update(caller: Identity, id: string, changes: Partial<Account>): Promise<Subaccount> {
    await find(this.database.dataSource.manager, caller, id);
    const account = await this.settings.change(id, async (manager) => {
      const found = await find(manager, caller, id);
      assertOpen(found);
      return manager.save(Object.assign(found, changes));
    });
    return this.named(account);
  }

  private async named(account: Account): Promise<Subaccount> {
    // Its name is gone with its secret.
    if (account.state === 'closed') return { account, name: '' };
    const expected = { account: account.id, type: 'account-name', recordId: account.id };
    const { name } = await this.vault.openForAccount<AccountName>(account.name ?? '', expected);
    return { account, name };
  }
}

async function find(manager: EntityManager, caller: Identity, id: string): Promise<Account> {
  const account = await manager.findOneBy(Account, { id, parentId: caller.account });
  if (!account) throw new ApiError(404, 'Subaccount not found');
  return account;
}
