import { HOLDERS, PRIVACY_REPLIES, type PrivacyReply } from '@lethe/contracts';
import { Consume, type ConsumedRecord, done, type Outcome, retry } from '@lethe/kafka';
import { isUnavailable, Log } from '@lethe/service';
import { Injectable } from '@nestjs/common';
import { InFlightService } from '../../release/in-flight.service.ts';
import { HoldersMeter } from '../../retention/holders.meter.ts';
import { AnswersRepository } from './answers.repository.ts';

const AT_ONCE = 8;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Every holder's answers. What makes no sense is noted where it can be, and never believed. */
@Injectable()
export class RepliesConsumer {
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly answers: AnswersRepository,
    private readonly inFlight: InFlightService,
    private readonly readings: HoldersMeter,
    private readonly log: Log,
  ) {}

  /** Called after each answer. */
  onReply(listener: () => void): void {
    this.listeners.push(listener);
  }

  @Consume(PRIVACY_REPLIES, { concurrency: AT_ONCE })
  async handle({ value: reply, source }: ConsumedRecord<typeof PRIVACY_REPLIES>): Promise<Outcome> {
    const { requestId, service } = reply;
    // Nobody answers for another: the broker knows who may write, the header says who wrote.
    const honest = source === service && (HOLDERS as readonly string[]).includes(service) && UUID.test(requestId);
    try {
      const reason = honest ? await this.take(reply) : 'not-its-answer';
      if (reason !== undefined) this.log.warn('privacy.reply-not-believed', { requestId, name: service, reason });
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return retry('store-away');
    }
    for (const listener of this.listeners) listener();
    return done();
  }

  /** Why it is not believed, if it is not. */
  private async take(reply: PrivacyReply): Promise<string | undefined> {
    switch (reply.step) {
      case 'fence':
      case 'erase':
      case 'verify': {
        const received = await this.answers.receive(reply);
        if (received.kind === 'nonsense') return received.error;
        return received.kind === 'unknown' ? 'not-asked' : undefined;
      }
      case 'in-flight':
        return (await this.inFlight.receive(reply)) ? undefined : 'not-asked';
      case 'measure':
        return this.readings.receive(reply);
      case 'failed':
        return this.failed(reply);
    }
  }

  private async failed(reply: Extract<PrivacyReply, { step: 'failed' }>): Promise<string | undefined> {
    const { requestId, service, attempt, error, of: step } = reply;
    if (step === 'measure') return undefined;
    const known =
      step === 'in-flight'
        ? await this.inFlight.failed(requestId)
        : await this.answers.fail({ requestId, service, step, attempt }, error);
    return known ? undefined : 'not-asked';
  }
}
