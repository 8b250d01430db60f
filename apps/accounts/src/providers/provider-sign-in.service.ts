import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { ApiError, Clock } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { MoreThan } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { SecondFactorProof } from '../second-factor/second-factor.proof.ts';
import { SessionsService } from '../sessions/sessions.service.ts';
import type { Begun } from '../sessions/sessions.service.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { assertUnchanged, ownClaim, PasswordProof } from '../sign-in/password.proof.ts';
import { findInvited, findUser } from '../sign-in/find-user.ts';
import { hashOf, newToken } from '../users/token.ts';
import { UserRow } from '../users/user.entity.ts';
import { UserVault } from '../users/user-vault.ts';
import { flowSecrets } from './flow-secrets.ts';
import { FLOW_LASTS_MS, ProviderFlow } from './provider-flow.entity.ts';
import { ProviderClient } from './provider.client.ts';

/** `flow` is the page's alone, and tells nobody anything without the provider's answer. */
export interface BegunFlow {
  url: string;
  flow: string;
}

/**
 * Users who prove at the provider who they are. Who that is here is said by an invitation or by themselves while they are signed in,
 * and kept as the provider's issuer and subject (OpenID Connect Core §5.7): an address that a provider claims makes nobody a user.
 */
@Injectable()
export class ProviderSignInService {
  constructor(
    private readonly database: Database,
    private readonly vault: UserVault,
    private readonly provider: ProviderClient,
    private readonly passwords: PasswordProof,
    private readonly secondFactor: SecondFactorProof,
    private readonly sessions: SessionsService,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
  ) {}

  /** As whoever is linked already; `account`: whose user, for who is one of several. */
  begin(account: string | undefined): Promise<BegunFlow> {
    return this.start({ accountId: account ?? null });
  }

  /** Links whoever was invited, instead of a password. Throws ApiError 400. */
  async beginInvited(token: string): Promise<BegunFlow> {
    const invitationHash = hashOf(token);
    const user = await findInvited(this.database.dataSource.manager, invitationHash, this.clock.now());
    return this.start({ accountId: user.accountId, userId: user.id, invitationHash });
  }

  /**
   * Links the user who is signed in, who shows again what they sign in with: a session alone lets nobody in for good, nor does a password
   * where it needs a code beside it.
   */
  async beginLinking(caller: Identity, shown: { password: string; code?: string | undefined }, address: string) {
    const user = await this.sessions.user(caller);
    return this.passwords.prove(ownClaim(user, shown.password, address), async (secrets) => {
      await this.settings.change(user.accountId, async (manager) => {
        const again = await this.sessions.user(caller, manager);
        assertUnchanged(user, again);
        await this.secondFactor.prove(manager, again, secrets, shown.code);
      });
      return this.start({ accountId: user.accountId, userId: user.id, sessionId: caller.keyId });
    });
  }

  /** `query`: what the provider gave the browser to bring back; a flow is answered once. Throws ApiError 400, 401, 403. */
  async answer(flow: string, query: string): Promise<Begun> {
    const began = await this.take(flow);
    const { issuer, subject } = await this.provider.redeem(query, flowSecrets(flow));
    const identity = await this.vault.hash('sign-in-identity', JSON.stringify([issuer, subject]));
    const { accountId, userId } = began;
    return userId === null || accountId === null
      ? this.signIn(identity, accountId ?? undefined)
      : this.link(identity, accountId, began);
  }

  /** Throws ApiError 400 for who would have nothing left to sign in with. */
  async unlink(caller: Identity): Promise<void> {
    // Whoever acts for a subaccount is a user of their own.
    const { accountId } = await this.sessions.user(caller);
    await this.settings.change(accountId, async (manager) => {
      const user = await this.sessions.user(caller, manager);
      if (user.secrets === null) {
        throw new ApiError(400, 'There is no password to sign in with instead: whoever invited lets choose one');
      }
      await manager.update(UserRow, { id: user.id }, { identity: null });
    });
  }

  private async start(purpose: Partial<ProviderFlow>): Promise<BegunFlow> {
    const { token: flow, hash } = newToken();
    const url = await this.provider.authorizationUrl(flowSecrets(flow));
    const begunAt = new Date(this.clock.now());
    await this.database.dataSource.manager.insert(ProviderFlow, { ...purpose, hash, begunAt });
    return { url, flow };
  }

  /** Once, whatever comes of it. */
  private async take(flow: string): Promise<ProviderFlow> {
    const { manager } = this.database.dataSource;
    const where = { hash: hashOf(flow) };
    const begunAt = MoreThan(new Date(this.clock.now() - FLOW_LASTS_MS));
    const found = await manager.findOneBy(ProviderFlow, { ...where, begunAt });
    const { affected } = await manager.delete(ProviderFlow, where);
    if (!found || affected !== 1) throw flowEnded();
    return found;
  }

  private async signIn(identity: string, account: string | undefined): Promise<Begun> {
    const user = await findUser(this.database.dataSource.manager, { identity }, account);
    if (!user) throw notLinked();
    return this.settings.change(user.accountId, async (manager) => {
      const current = await manager.findOneBy(UserRow, { id: user.id, identity });
      if (!current) throw notLinked();
      return this.sessions.begin(manager, current, 'provider');
    });
  }

  private link(identity: string, accountId: string, began: ProviderFlow): Promise<Begun> {
    return this.settings.change(accountId, async (manager) => {
      const user = await this.linkable(manager, began);
      if (await manager.existsBy(UserRow, { accountId, identity })) {
        throw new ApiError(400, 'Whoever signed in there is linked with a user of this account already');
      }
      Object.assign(user, { identity, invitationHash: null, invitationExpiresAt: null });
      return this.sessions.rotate(manager, await manager.save(user), 'provider');
    });
  }

  /** The user, where what let them begin is still in force. */
  private linkable(manager: EntityManager, { sessionId, invitationHash }: ProviderFlow): Promise<UserRow> {
    return sessionId === null
      ? findInvited(manager, invitationHash ?? '', this.clock.now())
      : this.sessions.user({ keyId: sessionId }, manager);
  }
}

const flowEnded = (): ApiError =>
  new ApiError(400, 'flow: was not begun here, or was answered already, or has expired', { field: 'flow' });
const notLinked = (): ApiError =>
  new ApiError(403, 'No user is linked with whoever signed in there: link one with an invitation, or while signed in');
