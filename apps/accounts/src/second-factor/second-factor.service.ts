import { Inject, Injectable } from '@nestjs/common';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import type { Identity } from '@lethe/service';
import type { AccountsConfig } from '../config.ts';
import { SessionsService } from '../sessions/sessions.service.ts';
import type { Begun } from '../sessions/sessions.service.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { assertUnchanged, ownClaim, PasswordProof } from '../sign-in/password.proof.ts';
import { UserVault } from '../users/user-vault.ts';
import { UsersService } from '../users/users.service.ts';
import { newRecoveryCodes } from './recovery-codes.ts';
import { needsSecondFactor } from './required.ts';
import { SecondFactorProof } from './second-factor.proof.ts';
import { newTotpSecret, stepOf, totpUrl } from './totp.ts';

/** A user's authenticator: begun with the password, in force once a code of it was shown, removed with both. */
@Injectable()
export class SecondFactorService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly passwords: PasswordProof,
    private readonly proof: SecondFactorProof,
    private readonly vault: UserVault,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  /** The secret is told this once. Throws ApiError 400 where there is one in force, 401 for a wrong password. */
  async begin(caller: Identity, password: string, address: string): Promise<{ secret: string; url: string }> {
    const user = await this.sessions.user(caller);
    if (user.totpStep !== null) throw new ApiError(400, 'There is an authenticator already: remove it first');
    const { person } = await this.users.known(user);
    const secret = newTotpSecret();
    await this.passwords.prove(ownClaim(user, password, address), (secrets) =>
      this.settings.change(user.accountId, async (manager) => {
        const again = await this.sessions.user(caller, manager);
        assertUnchanged(user, again);
        const sealed = await this.vault.sealSecrets(again, { ...secrets, totp: { secret, recovery: [] } });
        await manager.save(Object.assign(again, { secrets: sealed }));
      }),
    );
    return { secret, url: totpUrl(secret, new URL(this.config.PUBLIC_URL).hostname, person.address) };
  }

  /** It is in force from now on: sessions that began without it end, but for the caller's, which goes on as another. */
  async confirm(caller: Identity, code: string): Promise<{ begun: Begun; recoveryCodes: string[] }> {
    const { codes: recoveryCodes, hashes: recovery } = newRecoveryCodes();
    // Whoever acts for a subaccount is a user of their own.
    const { accountId } = await this.sessions.user(caller);
    return this.settings.change(accountId, async (manager) => {
      const user = await this.sessions.user(caller, manager);
      const secrets = await this.vault.secrets(user);
      if (secrets?.totp === undefined || user.totpStep !== null) {
        throw new ApiError(400, 'There is no authenticator to confirm: begin with POST /v1/users/me/totp');
      }
      const totpStep = stepOf(secrets.totp.secret, code, this.clock.now());
      if (totpStep === undefined)
        throw new ApiError(400, 'code: is not what the authenticator shows', { field: 'code' });
      const sealed = await this.vault.sealSecrets(user, { ...secrets, totp: { ...secrets.totp, recovery } });
      await manager.save(Object.assign(user, { secrets: sealed, totpStep }));
      return { begun: await this.sessions.rotate(manager, user), recoveryCodes };
    });
  }

  /** Throws ApiError 401, and 403 for whoever has to have one. */
  async remove(caller: Identity, shown: { password: string; code: string }, address: string): Promise<void> {
    const user = await this.sessions.user(caller);
    if (needsSecondFactor(user.accountId, this.config)) {
      throw new ApiError(403, 'Whoever runs the platform has to have a second factor');
    }
    const { password, code } = shown;
    await this.passwords.prove(ownClaim(user, password, address), ({ totp, ...secrets }) =>
      this.settings.change(user.accountId, async (manager) => {
        const again = await this.sessions.user(caller, manager);
        assertUnchanged(user, again);
        await this.proof.prove(manager, again, { ...secrets, totp }, code);
        const sealed = await this.vault.sealSecrets(again, secrets);
        await manager.save(Object.assign(again, { secrets: sealed, totpStep: null }));
      }),
    );
  }
}
