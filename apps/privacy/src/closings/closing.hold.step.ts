import { Injectable } from '@nestjs/common';
import { OpenRequestRepository } from '../requests/open-request.repository.ts';
import type { OpenRequest } from '../requests/request.ts';
import type { RequestStep } from '../requests/steps/step.ts';

/** 1. What people of the account were promised before comes first: their erasures end, each with its certificate. */
@Injectable()
export class ClosingHoldStep implements RequestStep {
  readonly stage = 'hold';

  constructor(private readonly requests: OpenRequestRepository) {}

  async run(request: OpenRequest): Promise<boolean> {
    if (await this.requests.othersOpen(request)) return false;
    return this.requests.move(request, { stage: 'cut-off', state: 'identified' });
  }
}
