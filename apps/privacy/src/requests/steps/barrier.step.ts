import { Injectable } from '@nestjs/common';
import { BarrierService } from '../../barrier/barrier.service.ts';
import { QuestionsRepository } from '../holders/questions.repository.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/** Everybody reads within moments; who has not by now is shown. */
const SHOWN_AFTER_MS = 5_000;

/** 4. Everybody has read what was written before the ends: what holders hold now is all there will be. */
@Injectable()
export class BarrierStep implements RequestStep {
  readonly stage = 'barrier';
  private readonly since = new Map<string, number>();

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly questions: QuestionsRepository,
    private readonly barrier: BarrierService,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    const { id } = request;
    const services = await this.barrier.behind(request.barrier ?? {});
    if (services.length > 0) {
      const now = performance.now();
      const since = this.since.get(id) ?? now;
      this.since.set(id, since);
      if (now > since + SHOWN_AFTER_MS) await this.questions.showBehind(id, services);
      return false;
    }
    this.since.delete(id);
    await this.questions.showBehind(id, []);
    return this.requests.move(request, { stage: 'survey' });
  }
}
