import { Clock } from '@lethe/service';
import { Injectable } from '@nestjs/common';
import { LedgerApplier } from '../../ledger/ledger.applier.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/** 8. The vault is brought to where the ledger is: keys destroyed, and the bytes they lay in rewritten. */
@Injectable()
export class DestroyStep implements RequestStep {
  readonly stage = 'destroy';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly applier: LedgerApplier,
    private readonly clock: Clock,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    await this.applier.reach();
    const unreadableAt = new Date(this.clock.now());
    const expungedAt = await this.applier.physicalPass();
    const findings = { unreadableAt, expungedAt };
    return this.requests.move(request, { stage: 'verify', state: 'verifying', findings });
  }
}
