import { HOLDERS, PRIVACY_COMMANDS, type PrivacyCommand } from '@lethe/contracts';
import { Publisher } from '@lethe/kafka';
import { Clock } from '@lethe/service';
import { Injectable } from '@nestjs/common';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { AskedStep, OpenRequest } from '../request.ts';
import { QuestionsRepository } from './questions.repository.ts';

/** Asks all holders the same thing until each has answered. */
@Injectable()
export class HolderRounds {
  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly questions: QuestionsRepository,
    private readonly publisher: Publisher,
    private readonly clock: Clock,
  ) {}

  /** Whether all have answered the step the request is at; asks those who are due. To be called at every look. */
  async answered(request: OpenRequest, step: AskedStep): Promise<boolean> {
    const { asked, missing, askAt } = request.answers;
    const begun = asked >= HOLDERS.length;
    if (begun && missing === 0) return true;
    if (!begun || (askAt !== null && askAt.getTime() <= this.clock.now())) await this.ask(request, step);
    return false;
  }

  /** Everybody hears it: who has answered answers again, which changes nothing. */
  private async ask(request: OpenRequest, step: AskedStep): Promise<void> {
    const { id, type, domains } = request;
    const subjects = await this.requests.subjectIds(id);
    const attempt = await this.questions.ask(id, step);
    const scope = {
      requestId: id,
      attempt,
      at: this.clock.now(),
      accountId: request.accountId,
      subjects,
      cutOff: request.cutOff?.getTime() ?? 0,
      ...(type === 'account-erasure' ? { closing: { domains: [...domains] } } : {}),
    };
    const value: PrivacyCommand =
      step === 'erase'
        ? { ...scope, step, doNotContact: request.doNotContact }
        : { ...scope, step: step === 'survey' ? 'verify' : step };
    try {
      const record = { key: id, value, id: `${id}/${value.step}/${attempt}`, type: `privacy.${value.step}` };
      await this.publisher.publish(PRIVACY_COMMANDS, [record]);
    } catch (error) {
      await this.questions.askSoon(id, step);
      throw error;
    }
  }
}
