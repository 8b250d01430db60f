import { setTimeout as wait } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { DomainSettings } from '@lethe/contracts';
import { ApiError } from '@lethe/service';
import { ALLOWED_FOR_MS } from '../dispatch/permission.policy.ts';
import type { Scope } from './hold.entity.ts';
import { HoldsRepository } from './holds.repository.ts';
import { TRUSTED_MS } from './holds.table.ts';

/** From the commit on: no process trusts an older reading, or a permission that rests on one. */
const IN_FORCE_MS = TRUSTED_MS + ALLOWED_FOR_MS;

/** Holds mail back. Each answer comes when it is in force in every process: what has not said MAIL FROM by then will not. */
@Injectable()
export class HoldingService {
  /** Accounts one of whose queues is being given up: it can be all of the queue, and once at a time is enough. */
  private readonly clearing = new Set<string>();

  constructor(private readonly holds: HoldsRepository) {}

  async pause(scope: Scope, target: string, until: Date | undefined): Promise<void> {
    await this.holds.pause(scope, target, until);
    await wait(IN_FORCE_MS);
  }

  /** Answers whether there was a pause. What waited for it is sent within a moment. */
  async resume(scope: Scope, target: string): Promise<boolean> {
    const was = await this.holds.resume(scope, target);
    if (was) await wait(IN_FORCE_MS);
    return was;
  }

  /**
   * Nothing that was accepted for the domain before is sent any more. Rows of the queue are woken to be told of: their next attempt
   * ends before it begins, as does the first of what Kafka still has. Repeated, it goes on where it was.
   * @throws ApiError 429 while this process does so for the account already.
   */
  async cancel({ accountId, domainId }: Pick<DomainSettings, 'accountId' | 'domainId'>): Promise<void> {
    if (this.clearing.has(accountId)) throw clearing();
    this.clearing.add(accountId);
    try {
      const before = await this.holds.cancel(domainId);
      await wait(IN_FORCE_MS);
      while ((await this.holds.wakeDomain(domainId, before)) > 0);
    } finally {
      this.clearing.delete(accountId);
    }
  }
}

const clearing = (): ApiError =>
  new ApiError(429, 'Queues of the account are being cleared: wait for that', { retryAfterSeconds: 2 });
