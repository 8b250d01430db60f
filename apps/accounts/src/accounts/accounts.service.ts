import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { AccountsConfig } from '../config.ts';
import { KeysService } from '../keys/keys.service.ts';
import type { MadeKey } from '../keys/keys.service.ts';
import { ensureSandbox } from '../sandbox/sandbox-domain.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { And, Equal, Not } from 'typeorm';
import { Account } from './account.entity.ts';

/** All but that of whoever runs the platform. */
const CUSTOMERS = Not(PLATFORM_ACCOUNT);

export interface NewAccount {
  account: Account;
  apiKey: MadeKey;
  privacyKey: MadeKey;
}

@Injectable()
export class AccountsService {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly keys: KeysService,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  /** An account and its first two keys. The vault comes first: secrets without an account do no harm, the reverse would. */
  async create(): Promise<NewAccount> {
    const id = randomUUIDv7();
    await this.vault.ensureAccount(id);
    const { SANDBOX_ZONE: zone } = this.config;
    return this.settings.change(id, async (manager, records) => {
      const account = await manager.save(manager.create(Account, { id, state: 'active' }));
      if (zone) records.push(...(await this.settings.domain(manager, await ensureSandbox(manager, id, zone))));
      const apiKey = await this.keys.add(manager, { accountId: id, role: 'admin' });
      const privacyKey = await this.keys.add(manager, { accountId: id, role: 'privacy' });
      return { account, apiKey, privacyKey };
    });
  }

  /** Oldest first, and how many there are in all. */
  list(page: { limit: number; skip: number; state?: Account['state'] | undefined }): Promise<[Account[], number]> {
    return this.database.dataSource.manager.findAndCount(Account, {
      where: { id: CUSTOMERS, ...(page.state === undefined ? {} : { state: page.state }) },
      order: { id: 'ASC' },
      take: page.limit,
      skip: page.skip,
    });
  }

  /** Throws ApiError 404. */
  async get(id: string): Promise<Account> {
    const account = await this.database.dataSource.manager.findOneBy(Account, { id: And(Equal(id), CUSTOMERS) });
    if (!account) throw accountNotFound();
    return account;
  }

  /** What an account allows itself; a subaccount is told by its parent: throws ApiError 403. */
  async setOwnMonthLimit(id: string, ownMonthLimit: number | null): Promise<void> {
    if ((await this.get(id)).parentId !== null)
      throw new ApiError(403, 'The limit of a subaccount is set by its parent');
    await this.update(id, { ownMonthLimit });
  }

  /** A suspended account accepts and sends nothing; it keeps its data, and reads it. Throws ApiError 404. */
  update(id: string, changes: Partial<Account>): Promise<Account> {
    return this.settings.change(id, async (manager) => {
      const account = await manager.findOneBy(Account, { id: And(Equal(id), CUSTOMERS) });
      if (!account) throw accountNotFound();
      assertOpen(account);
      return manager.save(Object.assign(account, changes));
    });
  }

  /**
   * From the answer on it accepts and sends nothing and its keys are dead; `privacy` erases it by the request it is noted with. Closing
   * it again changes nothing. `by`: id of a key, or `operator`. Throws ApiError 404, and 409 as long as it has subaccounts.
   */
  close(id: string, by: string): Promise<Account> {
    return this.settings.change(id, async (manager) => {
      // Locked, so that none is made below it meanwhile.
      const account = await manager.findOne(Account, {
        where: { id: And(Equal(id), CUSTOMERS) },
        lock: { mode: 'pessimistic_write' },
      });
      if (!account) throw accountNotFound();
      if (account.state === 'closed') return account;
      if ((await manager.countBy(Account, { parentId: id })) > 0) {
        throw new ApiError(409, 'The account has subaccounts: close them first, and wait until they are erased');
      }
      const closed = { state: 'closed', closingRequest: randomUUIDv7(), closedBy: by } as const;
      return manager.save(Object.assign(account, closed, { closedAt: new Date(this.clock.now()) }));
    });
  }
}

/** Throws ApiError 409. */
export function assertOpen({ state }: Account): void {
  if (state === 'closed') throw new ApiError(409, 'The account is closed');
}

const accountNotFound = (): ApiError => new ApiError(404, 'Account not found');
