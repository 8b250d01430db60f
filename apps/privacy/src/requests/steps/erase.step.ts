import { Injectable } from '@nestjs/common';
import { HolderRounds } from '../holders/holder.rounds.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/** 6. Every holder removes what it has of the subjects, and says what that was. */
@Injectable()
export class EraseStep implements RequestStep {
  readonly stage = 'erase';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly rounds: HolderRounds,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    if (!(await this.rounds.answered(request, 'erase'))) return false;
    return this.requests.move(request, { stage: 'release' });
  }
}
