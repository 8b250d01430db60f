import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { ApiError } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { KeysService } from '../keys/keys.service.ts';
import type { MadeKey } from '../keys/keys.service.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { Account } from './account.entity.ts';

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
  ) {}

  /** An account and its first two keys. The vault comes first: secrets without an account do no harm, the reverse would. */
  async create(): Promise<NewAccount> {
    const id = randomUUIDv7();
    await this.vault.ensureAccount(id);
    return this.settings.change(id, async (manager) => {
      const account = await manager.save(manager.create(Account, { id, state: 'active' }));
      const apiKey = await this.keys.add(manager, { accountId: id, role: 'admin' });
      const privacyKey = await this.keys.add(manager, { accountId: id, role: 'privacy' });
      return { account, apiKey, privacyKey };
    });
  }

  /** Oldest first, and how many there are in all. */
  list(page: { limit: number; skip: number; state?: Account['state'] | undefined }): Promise<[Account[], number]> {
    return this.database.dataSource.manager.findAndCount(Account, {
      where: page.state === undefined ? {} : { state: page.state },
      order: { id: 'ASC' },
      take: page.limit,
      skip: page.skip,
    });
  }

  /** Throws ApiError 404. */
  async get(id: string): Promise<Account> {
    const account = await this.database.dataSource.manager.findOneBy(Account, { id });
    if (!account) throw accountNotFound();
    return account;
  }

  /** A suspended account accepts and sends nothing; it keeps its data, and reads it. Throws ApiError 404. */
  setState(id: string, state: Account['state']): Promise<Account> {
    return this.settings.change(id, async (manager) => {
      const account = await manager.findOneBy(Account, { id });
      if (!account) throw accountNotFound();
      return manager.save(Object.assign(account, { state }));
    });
  }
}

const accountNotFound = (): ApiError => new ApiError(404, 'Account not found');
