import { ApiError } from '@lethe/service';
import { MoreThan, Not } from 'typeorm';
import type { EntityManager } from 'typeorm';
import type { Account } from '../accounts/account.entity.ts';
import { UserRow } from '../users/user.entity.ts';

/** Of several accounts' users that fit the oldest: nobody takes an address over by inviting it later. */
export function findUser(
  manager: EntityManager,
  whose: { login: string } | { identity: string },
  accountId: string | undefined,
): Promise<UserRow | null> {
  const open = { account: { state: Not<Account['state']>('closed') } };
  const where = { ...whose, ...open, ...(accountId === undefined ? {} : { accountId }) };
  return manager.findOne(UserRow, { where, order: { id: 'ASC' } });
}

/** Whose invitation this is, by the hash of its token. Throws ApiError 400. */
export async function findInvited(manager: EntityManager, invitationHash: string, now: number): Promise<UserRow> {
  const user = await manager.findOneBy(UserRow, { invitationHash, invitationExpiresAt: MoreThan(new Date(now)) });
  if (user) return user;
  throw new ApiError(400, 'token: is no invitation, or was used already, or has expired', { field: 'token' });
}
