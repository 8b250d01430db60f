import { Clock, CONFIG } from '@lethe/service';
import { Inject, Injectable } from '@nestjs/common';
import type { PrivacyConfig } from '../../config.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/** 1. A moment in which it can still be called off. */
@Injectable()
export class HoldStep implements RequestStep {
  readonly stage = 'hold';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    if (this.clock.now() < request.receivedAt.getTime() + this.config.REQUEST_HOLD_MS) return false;
    return this.requests.move(request, { stage: 'cut-off', state: 'identified' });
  }
}
