import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { KeyDescription, Scope } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { ApiError, Clock } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { IsNull } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { Domain } from '../domains/domain.entity.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { ApiKey } from './api-key.entity.ts';
import { newKeySecret } from './key-secret.ts';
import { ROLES } from './roles.ts';
import type { Role } from './roles.ts';

export interface NewKey {
  accountId: string;
  role: Role;
  domainId?: string;
  expiresAt?: Date;
  description?: string | undefined;
}

/** A key as lists show it. */
export interface KnownKey {
  key: ApiKey;
  description: string;
}

/** A key just made: the only moment its secret is known. */
export interface MadeKey {
  key: ApiKey;
  secret: string;
}

/** All of them travel in one record of `account-settings`, which has to have room for a change of its state, whatever else it says. */
const MAX_KEYS = 500;

/** Made by their like alone. */
const MANAGING = (Object.keys(ROLES) as Role[]).filter((role) =>
  (ROLES[role] as readonly Scope[]).includes('keys:write'),
);

@Injectable()
export class KeysService {
  constructor(
    private readonly vault: Vault,
    private readonly database: Database,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
  ) {}

  /** Writes a key inside a change of its account, which publishes it. */
  async add(manager: EntityManager, { accountId, role, domainId, expiresAt, description }: NewKey): Promise<MadeKey> {
    const { secret, hash, hint } = newKeySecret(role === 'public' ? 'pubkey' : 'key');
    const id = randomUUIDv7();
    const seal = { account: accountId, period: 'standing', type: 'key-description', recordId: id } as const;
    const part: KeyDescription | undefined = description === undefined ? undefined : { text: description };
    const key = manager.create(ApiKey, {
      id,
      accountId,
      description: part === undefined ? null : await this.vault.sealForAccount(seal, part),
      hash,
      hint,
      role,
      domainId: domainId ?? null,
      expiresAt: expiresAt ?? null,
    });
    return { key: await manager.save(key), secret };
  }

  /** Throws ApiError 403 if the key would hold more than the caller, 400 if the domain is not the account's. */
  create(
    caller: Identity,
    wish: {
      role: Role;
      domainName?: string | undefined;
      lifetimeSeconds?: number | undefined;
      description?: string | undefined;
    },
  ): Promise<MadeKey> {
    if (!holdsAll(caller, wish.role)) throw new ApiError(403, 'A key cannot give rights it does not have');
    return this.settings.change(caller.account, async (manager) => {
      if ((await manager.countBy(ApiKey, { accountId: caller.account })) >= MAX_KEYS) {
        throw new ApiError(400, `An account has at most ${MAX_KEYS} API keys: delete those that are not used`);
      }
      const domain = wish.domainName === undefined ? undefined : await ownDomain(manager, caller, wish.domainName);
      return this.add(manager, {
        accountId: caller.account,
        role: wish.role,
        description: wish.description,
        ...(domain ? { domainId: domain.id } : {}),
        ...(wish.lifetimeSeconds ? { expiresAt: new Date(this.clock.now() + wish.lifetimeSeconds * 1_000) } : {}),
      });
    });
  }

  /** Makes the account's public key anew: the one before ends. */
  createPublic(caller: Identity): Promise<MadeKey> {
    return this.settings.change(caller.account, async (manager) => {
      await manager.delete(ApiKey, { accountId: caller.account, role: 'public' });
      return this.add(manager, { accountId: caller.account, role: 'public' });
    });
  }

  /** Oldest first. */
  async list(caller: Identity, domainName: string | undefined): Promise<KnownKey[]> {
    const keys = await this.database.dataSource.manager.find(ApiKey, {
      where: { accountId: caller.account, ...(domainName === undefined ? {} : { domain: { name: domainName } }) },
      relations: { domain: true },
      order: { createdAt: 'ASC', id: 'ASC' },
    });
    return Promise.all(keys.map(async (key) => ({ key, description: await this.description(key) })));
  }

  /**
   * As with roles of users, nobody deletes a key with rights that they do not have: whoever may send does not keep people from having
   * themselves erased. Throws ApiError 404, 403, and 400 if nobody could make such a key any more.
   */
  async remove(caller: Identity, id: string): Promise<void> {
    await this.settings.change(caller.account, async (manager) => {
      const key = await manager.findOneBy(ApiKey, { id, accountId: caller.account });
      if (!key) throw new ApiError(404, 'API key not found');
      if (!holdsAll(caller, key.role)) throw new ApiError(403, 'A key cannot delete one with rights it does not have');
      if (MANAGING.includes(key.role) && (await this.isLast(manager, key))) {
        throw new ApiError(400, `This is the last ${key.role} key, which no other can make anew: make another first`);
      }
      await manager.delete(ApiKey, { id });
    });
  }

  /** Subaccounts have their parent's keys besides: theirs can all go. One that ends by itself is none to rely on. */
  private async isLast(manager: EntityManager, { id, accountId, role }: ApiKey): Promise<boolean> {
    const managing = await manager.findBy(ApiKey, {
      accountId,
      role,
      domainId: IsNull(),
      expiresAt: IsNull(),
      account: { parentId: IsNull() },
    });
    return managing.length === 1 && managing[0]?.id === id;
  }

  private async description({ id, accountId: account, description }: ApiKey): Promise<string> {
    if (description === null) return '';
    const expected = { account, type: 'key-description', recordId: id };
    return (await this.vault.openForAccount<KeyDescription>(description, expected)).text;
  }
}

const holdsAll = ({ scopes }: Identity, role: Role): boolean => ROLES[role].every((scope) => scopes.includes(scope));

async function ownDomain(manager: EntityManager, caller: Identity, name: string): Promise<Domain> {
  const domain = await manager.findOneBy(Domain, { name, accountId: caller.account });
  if (!domain) throw new ApiError(400, 'domain_name: is no domain of this account', { field: 'domain_name' });
  return domain;
}
