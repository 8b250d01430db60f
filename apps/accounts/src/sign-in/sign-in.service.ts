import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { Clock } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { SecondFactorProof } from '../second-factor/second-factor.proof.ts';
import { SessionsService } from '../sessions/sessions.service.ts';
import type { Begun } from '../sessions/sessions.service.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { PasswordsService } from '../users/passwords.service.ts';
import { hashOf } from '../users/token.ts';
import { UserRow } from '../users/user.entity.ts';
import { addressOf, UserVault } from '../users/user-vault.ts';
import { findInvited, findUser } from './find-user.ts';
import { assertUnchanged, ownClaim, PasswordProof } from './password.proof.ts';

export interface Credentials {
  email: string;
  password: string;
  account?: string | undefined;
  code?: string | undefined;
}

/** Passwords of users: chosen with an invitation, proved to sign in, changed by who knows them. */
@Injectable()
export class SignInService {
  constructor(
    private readonly database: Database,
    private readonly vault: UserVault,
    private readonly passwords: PasswordsService,
    private readonly proof: PasswordProof,
    private readonly secondFactor: SecondFactorProof,
    private readonly sessions: SessionsService,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
  ) {}

  /** `address`: the client's. Who is no user is answered as who gives a wrong password: ApiError 401, or 429 after too many. */
  async withPassword({ email, password, account, code }: Credentials, address: string): Promise<Begun> {
    const login = await this.vault.login(addressOf(email));
    const user = await findUser(this.database.dataSource.manager, { login }, account);
    return this.proof.prove({ login, account, user, password, address }, (secrets, proved) =>
      this.settings.change(proved.accountId, async (manager) => {
        const current = await manager.findOneBy(UserRow, { id: proved.id });
        assertUnchanged(proved, current);
        await this.secondFactor.prove(manager, current, secrets, code);
        return this.sessions.begin(manager, current);
      }),
    );
  }

  /** With the token of an invitation, once. Throws ApiError 400. */
  async accept(token: string, password: string): Promise<void> {
    const [invitation, now] = [hashOf(token), this.clock.now()];
    const invited = await findInvited(this.database.dataSource.manager, invitation, now);
    const hash = await this.passwords.hash(password);
    await this.settings.change(invited.accountId, async (manager) => {
      const user = await findInvited(manager, invitation, now);
      const secrets = await this.vault.sealSecrets(user, { password: hash });
      await manager.save(Object.assign(user, { secrets, invitationHash: null, invitationExpiresAt: null }));
    });
  }

  /** All other sessions of the user end, and the caller's becomes another. Throws ApiError 401, or 429. */
  async changePassword(caller: Identity, current: string, next: string, address: string): Promise<Begun> {
    const user = await this.sessions.user(caller);
    return this.proof.prove(ownClaim(user, current, address), async (secrets) => {
      const password = await this.passwords.hash(next);
      return this.settings.change(user.accountId, async (manager) => {
        const again = await this.sessions.user(caller, manager);
        assertUnchanged(user, again);
        const sealed = await this.vault.sealSecrets(again, { ...secrets, password });
        return this.sessions.rotate(manager, await manager.save(Object.assign(again, { secrets: sealed })));
      });
    });
  }
}
