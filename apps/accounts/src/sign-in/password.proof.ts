import { Injectable } from '@nestjs/common';
import type { UserSecrets } from '@lethe/contracts';
import { ApiError } from '@lethe/service';
import { PasswordsService } from '../users/passwords.service.ts';
import type { UserRow } from '../users/user.entity.ts';
import { UserVault } from '../users/user-vault.ts';
import { SignInBackoff } from './sign-in.backoff.ts';
import type { Tried } from './sign-in.backoff.ts';

export interface Claim extends Tried {
  /** Null: there is none. */
  user: UserRow | null;
  password: string;
  /** The client's. */
  address: string;
}

/** Whoever shows a password: each attempt counts, whatever it is for. */
@Injectable()
export class PasswordProof {
  constructor(
    private readonly vault: UserVault,
    private readonly passwords: PasswordsService,
    private readonly backoff: SignInBackoff,
  ) {}

  /** `work`: what it is for; where that throws, the user's attempt stays counted. Throws ApiError 401, or 429 after too many. */
  async prove<T>(claim: Claim, work: (secrets: UserSecrets, user: UserRow) => Promise<T>): Promise<T> {
    const { user, password, address } = claim;
    const attempt = await this.backoff.charge(claim, address);
    const secrets = user && (await this.vault.secrets(user));
    if (!(await this.passwords.verify(password, secrets?.password)) || !user || !secrets) throw refused();
    await this.backoff.refund(attempt);
    const result = await work(secrets, user);
    await this.backoff.forgive(attempt);
    return result;
  }
}

/** Of a user who is signed in already. */
export const ownClaim = (user: UserRow, password: string, address: string): Claim => ({
  login: user.login,
  account: user.accountId,
  user,
  password,
  address,
});

/** What was proved is worth nothing any more where the user was removed, invited anew or has another password. Throws ApiError 401. */
export function assertUnchanged(proved: UserRow, current: UserRow | null): asserts current is UserRow {
  if (current?.secrets !== proved.secrets) throw refused();
}

const refused = (): ApiError => new ApiError(401, 'The address or the password is wrong');
