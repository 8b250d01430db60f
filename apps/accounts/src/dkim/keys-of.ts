import type { EntityManager } from 'typeorm';
import { DkimKeyRow } from './dkim-key.entity.ts';

/** A domain's DKIM keys, oldest first. */
export const keysOf = (manager: EntityManager, domainId: string): Promise<DkimKeyRow[]> =>
  manager.find(DkimKeyRow, { where: { domainId }, order: { id: 'ASC' } });
