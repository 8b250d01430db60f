import { Injectable } from '@nestjs/common';
import {
  eventId,
  MAIL_EVENTS,
  periodOf,
  type DeliveredEvent,
  type FailedEvent,
  type MailEvent,
  type Reply,
} from '@lethe/contracts';
import { Publisher } from '@lethe/kafka';
import { Clock } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { Answer, Attempt, Outcome } from './attempt.ts';

type Concluded = Extract<Outcome, { kind: 'delivered' | 'failed' }>;

/** Tells everybody how an attempt ended. Resolves when Kafka has it. */
@Injectable()
export class EventsPublisher {
  constructor(
    private readonly publisher: Publisher,
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  /** `retryAt`, epoch ms: when the next attempt is due. Throws ForgottenError if the recipient is forgotten meanwhile. */
  async publish(attempt: Attempt, outcome: Concluded, retryAt?: number): Promise<void> {
    const at = this.clock.now();
    const event = await this.event(attempt, outcome, at, retryAt);
    const { messageId: key, id, type } = event;
    await this.publisher.publish(MAIL_EVENTS, [{ key, value: event, id, type, time: at }]);
  }

  private async event(attempt: Attempt, outcome: Concluded, at: number, retryAt?: number): Promise<MailEvent> {
    const { record, number, maybeDuplicate } = attempt;
    const { messageId, ordinal, accountId, domainId, size, testMode, recipient, related } = record;
    const id = eventId(messageId, ordinal, number, outcome.kind === 'failed' ? outcome.severity : outcome.kind);
    const period = periodOf(record.eventClass, at);
    const { answer } = outcome;
    const reply = await this.reply(attempt, answer, id, period);
    const deliveryStatus: DeliveredEvent['deliveryStatus'] = {
      code: answer.code,
      ...(answer.enhancedCode === undefined ? {} : { enhancedCode: answer.enhancedCode }),
      attempt: number,
      sessionSeconds: answer.sessionSeconds,
      tls: answer.tls,
      certificateVerified: answer.verified,
      maybeDuplicate,
      ...(retryAt === undefined ? {} : { retrySeconds: Math.max(0, (retryAt - at) / 1_000) }),
      ...(reply === undefined ? {} : { reply }),
    };
    const about = { id, at, accountId, domainId, messageId, ordinal, period, size, testMode, recipient, related };
    if (outcome.kind === 'delivered') return { ...about, type: 'delivered', deliveryStatus };
    const { severity, reason, noSuchMailbox = false } = outcome;
    return { ...about, type: 'failed', severity, reason, noSuchMailbox, deliveryStatus } satisfies FailedEvent;
  }

  /** Addresses are masked already; what is left may still say something about the recipient. */
  private async reply(
    { record }: Attempt,
    { text, host }: Answer,
    recordId: string,
    period: MailEvent['period'],
  ): Promise<string | undefined> {
    if (text === undefined) return undefined;
    const reply: Reply = { text, ...(host === undefined ? {} : { mxHost: host }) };
    const { accountId: account, recipient } = record;
    return this.vault.seal({ account, subject: recipient.subject, period, type: 'reply', recordId }, reply);
  }
}
