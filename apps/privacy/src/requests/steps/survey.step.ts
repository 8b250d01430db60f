import { Injectable } from '@nestjs/common';
import { HolderRounds } from '../holders/holder.rounds.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/**
 * 5. Every holder says what it has, before anything is removed. What `erase` says is not enough: one that is killed between
 * removing and answering is asked again, and then truly finds nothing. Holders hear the command `verify`, which changes nothing.
 */
@Injectable()
export class SurveyStep implements RequestStep {
  readonly stage = 'survey';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly rounds: HolderRounds,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    if (!(await this.rounds.answered(request, 'survey'))) return false;
    return this.requests.move(request, { stage: 'erase' });
  }
}
