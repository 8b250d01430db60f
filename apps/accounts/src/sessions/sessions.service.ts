import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { MoreThan } from 'typeorm';
import type { EntityManager } from 'typeorm';
import type { AccountsConfig } from '../config.ts';
import { needsSecondFactor } from '../second-factor/required.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { newToken } from '../users/token.ts';
import { UserRow } from '../users/user.entity.ts';
import { SessionRow } from './session.entity.ts';

/** One for each of somebody's devices; the oldest ends when another begins. All travel in one record. */
const MAX_PER_USER = 5;

/** A provider sees to second factors itself. */
export type ProvedBy = 'password' | 'provider';

/** A session just begun: the only moment its token is known. */
export interface Begun {
  token: string;
  session: SessionRow;
}

/** Sessions of users. The gateway knows them from `account-settings`, as it knows keys: what ends here ends there within a second. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly database: Database,
    private readonly settings: SettingsPublisher,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  /** Inside a change of the user's account. The token is always new: none that somebody brought along becomes a session. */
  async begin(
    manager: EntityManager,
    { id: userId, accountId, totpStep }: UserRow,
    by: ProvedBy = 'password',
  ): Promise<Begun> {
    const older = await manager.find(SessionRow, { where: { userId }, order: { id: 'DESC' }, skip: MAX_PER_USER - 1 });
    await manager.remove(older);
    const { token, hash } = newToken();
    const id = randomUUIDv7();
    const expiresAt = new Date(this.clock.now() + this.config.SESSION_LIFETIME_MS);
    const limited = needsSecondFactor(accountId, this.config) && totpStep === null && by === 'password';
    await manager.insert(SessionRow, { id, userId, accountId, hash, limited, expiresAt, ...this.idle() });
    return { token, session: await manager.findOneByOrFail(SessionRow, { id }) };
  }

  /** Where what a user may do has changed by their own doing: all their sessions end, and the caller's goes on as another. */
  async rotate(manager: EntityManager, user: UserRow, by: ProvedBy = 'password'): Promise<Begun> {
    await manager.delete(SessionRow, { userId: user.id });
    return this.begin(manager, user, by);
  }

  /** The user whose session calls. Throws ApiError 401 where it has ended meanwhile. */
  async user(caller: Pick<Identity, 'keyId'>, manager = this.database.dataSource.manager): Promise<UserRow> {
    const session = await manager.findOne(SessionRow, { where: { id: caller.keyId }, relations: { user: true } });
    if (!session?.user) throw sessionEnded();
    return session.user;
  }

  /** The caller's own, latest first. */
  async list(caller: Identity): Promise<SessionRow[]> {
    const { id: userId } = await this.user(caller);
    const idleAt = MoreThan(new Date(this.clock.now()));
    return this.database.dataSource.manager.find(SessionRow, { where: { userId, idleAt }, order: { id: 'DESC' } });
  }

  /** Throws ApiError 404 for one that is not the caller's own. */
  async end(caller: Identity, id: string): Promise<void> {
    const user = await this.user(caller);
    await this.settings.change(user.accountId, async (manager) => {
      const { affected } = await manager.delete(SessionRow, { id, userId: user.id });
      if (affected !== 1) throw new ApiError(404, 'Session not found');
    });
  }

  async endAll(caller: Identity): Promise<void> {
    const user = await this.user(caller);
    await this.settings.change(user.accountId, (manager) => manager.delete(SessionRow, { userId: user.id }));
  }

  /** It is in use: it ends no earlier than its idle time from now, and no later than it would have. */
  async renew(caller: Identity): Promise<void> {
    const { accountId } = await this.user(caller);
    await this.settings.change(accountId, (manager) => manager.update(SessionRow, { id: caller.keyId }, this.idle()));
  }

  private idle(): { renewAt: Date; idleAt: Date } {
    const { SESSION_IDLE_MS: idleMs } = this.config;
    const now = this.clock.now();
    return { renewAt: new Date(now + idleMs / 4), idleAt: new Date(now + idleMs) };
  }
}

const sessionEnded = (): ApiError => new ApiError(401, 'The session has ended: sign in again');
