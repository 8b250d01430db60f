import { Injectable } from '@nestjs/common';
import type { AllowedSenders } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { normalForm, parseAddress } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { normalDomain } from '../domains/domain-name.ts';
import { Domain } from '../domains/domain.entity.ts';
import { ownDomain } from '../domains/own-domain.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';

/** They travel in one record, and are looked through for each message. */
const MAX_SENDERS = 100;

/**
 * Who may stand in From: addresses, and domains for all addresses of theirs. A list of the account is for domains without one of
 * their own; no list allows everybody, an empty list cannot be. What is typed is sealed under the account's key.
 */
@Injectable()
export class AllowedSendersService {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly settings: SettingsPublisher,
  ) {}

  /** `domainName` undefined: the account's own list. Throws ApiError 404. */
  async list(caller: Identity, domainName: string | undefined): Promise<readonly string[]> {
    const { id, allowedSenders } = await find(this.database.dataSource.manager, caller, domainName);
    if (allowedSenders === null) return [];
    const expected = { account: caller.account, type: 'allowed-senders', recordId: id };
    return (await this.vault.openForAccount<AllowedSenders>(allowedSenders, expected)).senders;
  }

  /** Replaces the list; answers it as it is kept. `[]` takes it away. Throws ApiError 400 for what is no sender, 404. */
  async replace(caller: Identity, domainName: string | undefined, given: readonly string[]): Promise<string[]> {
    const senders = [...new Set(given.map(senderOf))];
    if (senders.length > MAX_SENDERS) {
      throw new ApiError(400, `sender: at most ${MAX_SENDERS} are taken`, { field: 'sender' });
    }
    await this.settings.change(caller.account, async (manager, records) => {
      const whose = await find(manager, caller, domainName);
      const { account } = caller;
      const seal = { account, period: 'standing', type: 'allowed-senders', recordId: whose.id } as const;
      const part: AllowedSenders = { senders };
      whose.allowedSenders = senders.length === 0 ? null : await this.vault.sealForAccount(seal, part);
      await manager.save(whose);
      if (whose instanceof Domain) records.push(...(await this.settings.domain(manager, whose)));
    });
    return senders;
  }
}

async function find(manager: EntityManager, caller: Identity, name: string | undefined): Promise<Domain | Account> {
  if (name !== undefined) return ownDomain(manager, caller, name);
  return manager.findOneByOrFail(Account, { id: caller.account });
}

/** An address or a domain in normal form. */
function senderOf(given: string): string {
  const domain = given.includes('@') ? undefined : normalDomain(given);
  if (domain !== undefined) return domain;
  const read = parseAddress(given, 'sender');
  if (!read.ok) throw new ApiError(400, 'sender: must be an address or a domain', { field: 'sender' });
  return normalForm(read.value.address);
}
