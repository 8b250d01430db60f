import { HOLDERS } from '@lethe/contracts';
import { Injectable } from '@nestjs/common';
import { HolderRounds } from '../holders/holder.rounds.ts';
import { QuestionsRepository } from '../holders/questions.repository.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/** 9. Every holder looks again. Who finds something left erases again, and then everybody looks once more. */
@Injectable()
export class VerifyStep implements RequestStep {
  readonly stage = 'verify';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly rounds: HolderRounds,
    private readonly questions: QuestionsRepository,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    if (!(await this.rounds.answered(request, 'verify'))) return false;
    const { id } = request;
    const dirty = await this.questions.withResidual(id);
    if (dirty.length === 0) return this.requests.move(request, { stage: 'certify' });
    return this.requests.move(request, { stage: 'erase' }, async (client) => {
      await this.questions.anew(client, id, 'erase', dirty);
      await this.questions.anew(client, id, 'verify', HOLDERS);
    });
  }
}
