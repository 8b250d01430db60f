import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
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
}
