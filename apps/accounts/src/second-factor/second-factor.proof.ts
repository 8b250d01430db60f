import { Injectable } from '@nestjs/common';
import type { UserSecrets } from '@lethe/contracts';
import { ApiError, Clock } from '@lethe/service';
import type { EntityManager } from 'typeorm';
import type { UserRow } from '../users/user.entity.ts';
import { UserVault } from '../users/user-vault.ts';
import { recoveryHash } from './recovery-codes.ts';
import { stepOf } from './totp.ts';

const FIELD = { field: 'code' } as const;

/** What a user shows besides the password: a code of their authenticator, or one of their recovery codes. Neither admits twice. */
@Injectable()
export class SecondFactorProof {
  constructor(
    private readonly vault: UserVault,
    private readonly clock: Clock,
  ) {}

  /** Inside a change of the user's account, which lets nobody show the same code beside it. Throws ApiError 401. */
  async prove(manager: EntityManager, user: UserRow, secrets: UserSecrets, code: string | undefined): Promise<void> {
    const { totp } = secrets;
    // Without a step it was never confirmed, and is not in force.
    if (totp === undefined || user.totpStep === null) return;
    if (code === undefined)
      throw new ApiError(401, 'code: is missing: the one your authenticator shows, or a recovery code', FIELD);
    const step = stepOf(totp.secret, code, this.clock.now());
    if (step !== undefined) {
      if (step <= user.totpStep) throw new ApiError(401, 'code: was used already: wait for the next', FIELD);
      await manager.save(Object.assign(user, { totpStep: step }));
      return;
    }
    const used = recoveryHash(code);
    if (!totp.recovery.includes(used)) throw new ApiError(401, 'code: is wrong', FIELD);
    const recovery = totp.recovery.filter((hash) => hash !== used);
    const left = await this.vault.sealSecrets(user, { ...secrets, totp: { ...totp, recovery } });
    await manager.save(Object.assign(user, { secrets: left }));
  }
}
