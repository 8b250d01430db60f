import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { User } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import type { Identity } from '@lethe/service';
import type { EntityManager } from 'typeorm';
import type { AccountsConfig } from '../config.ts';
import { SessionRow } from '../sessions/session.entity.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { newToken } from './token.ts';
import { UserRow } from './user.entity.ts';
import { assertMayGive, assertRoleOf } from './user-roles.ts';
import type { UserRole } from './user-roles.ts';
import { addressOf, UserVault } from './user-vault.ts';

/** With their sessions they travel in one record of `account-settings`, beside the account's keys. */
const MAX_USERS = 100;

export interface KnownUser {
  row: UserRow;
  person: User;
}

/** The only moment the token is known: whoever asked brings it to the person, we send no mail. */
export interface Invited extends KnownUser {
  token: string;
}

/** Users of the caller's account, as somebody with `users:write` sees to them. */
@Injectable()
export class UsersService {
  constructor(
    private readonly database: Database,
    private readonly vault: UserVault,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  /** Oldest first, without those who are being erased. */
  async list(caller: Identity): Promise<KnownUser[]> {
    const { manager } = this.database.dataSource;
    const rows = await manager.find(UserRow, { where: { accountId: caller.account }, order: { id: 'ASC' } });
    const people = await this.vault.people(rows);
    return rows.flatMap((row, index) => {
      const person = people[index];
      return person === undefined ? [] : [{ row, person }];
    });
  }

  /** Throws ApiError 404. */
  async get(caller: Identity, id: string): Promise<KnownUser> {
    return this.known(await find(this.database.dataSource.manager, caller, id));
  }

  /** Throws ApiError 404 for who is forgotten. */
  async known(row: UserRow): Promise<KnownUser> {
    const [person] = await this.vault.people([row]);
    if (person === undefined) throw userNotFound();
    return { row, person };
  }

  /** Throws ApiError 403 for a role out of reach, 400 for somebody who is a user already, or for too many. */
  invite(caller: Identity, wish: { email: string; name: string; role: UserRole }): Promise<Invited> {
    const { account: accountId } = caller;
    const { role, name } = wish;
    assertRoleOf(accountId, role);
    assertMayGive(caller, role);
    const address = addressOf(wish.email);
    const { token, ...invitation } = this.invitation();
    return this.settings.change(accountId, async (manager) => {
      if ((await manager.countBy(UserRow, { accountId })) >= MAX_USERS) {
        throw new ApiError(400, `An account has at most ${MAX_USERS} users: remove those who do not sign in any more`);
      }
      const login = await this.vault.login(address);
      if (await manager.existsBy(UserRow, { accountId, login })) {
        throw new ApiError(400, 'email: is a user of this account already', { field: 'email' });
      }
      const owner = { id: randomUUIDv7(), accountId, subjectId: await this.vault.subject(accountId, address) };
      const person = { address, name };
      const sealed = await this.vault.sealPerson(owner, person);
      await manager.insert(UserRow, { ...owner, login, role, person: sealed, secrets: null, ...invitation });
      return { row: await manager.findOneByOrFail(UserRow, { id: owner.id }), person, token };
    });
  }

  /** A new start, where a password is lost or known to others: what was chosen before and all sessions end. */
  async inviteAnew(caller: Identity, id: string): Promise<Invited> {
    const { token, ...invitation } = this.invitation();
    const row = await this.change(caller, id, async (manager, user) => {
      await manager.delete(SessionRow, { userId: id });
      return manager.save(Object.assign(user, { secrets: null, totpStep: null, identity: null, ...invitation }));
    });
    return { ...(await this.known(row)), token };
  }

  /** With another role they sign in again. Throws ApiError 403, 404. */
  async update(caller: Identity, id: string, wish: { role?: UserRole; name?: string }): Promise<KnownUser> {
    const { role, name } = wish;
    if (role !== undefined) {
      assertRoleOf(caller.account, role);
      assertMayGive(caller, role);
    }
    const row = await this.change(caller, id, async (manager, user) => {
      if (role !== undefined && role !== user.role) {
        await manager.delete(SessionRow, { userId: id });
        user.role = role;
      }
      if (name !== undefined) {
        const { person } = await this.known(user);
        user.person = await this.vault.sealPerson(user, { ...person, name });
      }
      return manager.save(user);
    });
    return this.known(row);
  }

  async remove(caller: Identity, id: string): Promise<void> {
    await this.change(caller, id, (manager) => manager.delete(UserRow, { id }));
  }

  /** They are out everywhere within a second. */
  async endSessions(caller: Identity, id: string): Promise<void> {
    await this.change(caller, id, (manager) => manager.delete(SessionRow, { userId: id }));
  }

  private change<T>(
    caller: Identity,
    id: string,
    work: (manager: EntityManager, user: UserRow) => Promise<T>,
  ): Promise<T> {
    return this.settings.change(caller.account, async (manager) => {
      const user = await find(manager, caller, id);
      assertMayGive(caller, user.role);
      return work(manager, user);
    });
  }

  private invitation() {
    const { token, hash: invitationHash } = newToken();
    const invitationExpiresAt = new Date(this.clock.now() + this.config.INVITATION_LIFETIME_MS);
    return { token, invitationHash, invitationExpiresAt };
  }
}

const userNotFound = (): ApiError => new ApiError(404, 'User not found');

async function find(manager: EntityManager, caller: Identity, id: string): Promise<UserRow> {
  const user = await manager.findOneBy(UserRow, { id, accountId: caller.account });
  if (!user) throw userNotFound();
  return user;
}
