import { ApiError, type Identity } from '@lethe/service';
import type { EntityManager } from 'typeorm';
import { Domain } from './domain.entity.ts';

export const domainNotFound = (): ApiError => new ApiError(404, 'Domain not found');

/** The caller's domain of that name. Throws ApiError 404, also for the domain of another account. */
export async function ownDomain(manager: EntityManager, caller: Identity, name: string): Promise<Domain> {
  const domain = await manager.findOneBy(Domain, { name, accountId: caller.account });
  if (!domain) throw domainNotFound();
  return domain;
}
