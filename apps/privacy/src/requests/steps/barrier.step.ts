import { Injectable } from '@nestjs/common';
import { BarrierService } from '../../barrier/barrier.service.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/** 4. Everybody has read what was written before the ends: what holders hold now is all there will be. */
@Injectable()
export class BarrierStep implements RequestStep {
  readonly stage = 'barrier';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly barrier: BarrierService,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    if (!(await this.barrier.passed(request.barrier ?? {}))) return false;
    return this.requests.move(request, { stage: 'erase' });
  }
}
