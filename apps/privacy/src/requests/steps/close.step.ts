import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { LedgerApplier } from '../../ledger/ledger.applier.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/** 11. The vault forgets the names it cut off. After the certificate: until then a second erasure has to find them. */
@Injectable()
export class CloseStep implements RequestStep {
  readonly stage = 'close';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly keeper: VaultKeeper,
    private readonly applier: LedgerApplier,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    await this.keeper.endFence(request.id);
    await this.applier.physicalPass();
    return this.requests.move(request, { stage: 'done' });
  }
}
