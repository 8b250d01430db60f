import { randomBytes, randomUUIDv7 } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { Domain } from '../domains/domain.entity.ts';

/** Whether a name lies in the platform's zone: nobody but the platform makes domains there. */
export const inZone = (name: string, zone: string | undefined): boolean =>
  zone !== undefined && (name === zone || name.endsWith(`.${zone}`));

/**
 * The account's sandbox domain, made if it has none. It has no DKIM key: there would be nobody to publish it. Its name is not to
 * be guessed, so that nobody learns from it whose it is.
 */
export async function ensureSandbox(manager: EntityManager, accountId: string, zone: string): Promise<Domain> {
  const found = await manager.findOneBy(Domain, { accountId, sandbox: true });
  if (found) return found;
  const id = randomUUIDv7();
  const name = `sandbox${randomBytes(16).toString('hex')}.${zone}`;
  const { bodiesDays, eventsDays } = await manager.findOneByOrFail(Account, { id: accountId });
  await manager.insert(Domain, { id, accountId, name, state: 'active', sandbox: true, bodiesDays, eventsDays });
  return manager.findOneByOrFail(Domain, { id });
}
