import { Injectable } from '@nestjs/common';
import { MAIL_EVENTS, type FailedEvent, type MailEvent, type MailEventType } from '@lethe/contracts';
import { Consume, done, retry, type ConsumedRecord, type Outcome } from '@lethe/kafka';
import { isUnavailable, Log, OverloadedError } from '@lethe/service';
import { VaultUnavailableError } from '@lethe/vault';
import { FailuresService } from './failures.service.ts';

/** Of every message there are two. */
const NO_FAILURE: readonly MailEventType[] = ['accepted', 'delivered'];

/** Nearly every event passes here at no cost; a mailbox that does not exist becomes an entry, many of them at a time. */
@Injectable()
export class FailuresConsumer {
  constructor(
    private readonly failures: FailuresService,
    private readonly log: Log,
  ) {}

  @Consume(MAIL_EVENTS, { passOver: NO_FAILURE, paceMs: 100, batch: { records: 500, lingerMs: 5, parallel: 2 } })
  async handle(records: ConsumedRecord<typeof MAIL_EVENTS>[]): Promise<Outcome[]> {
    const failed = records.map(({ value }) => value).filter(saysNoSuchMailbox);
    const outcomes = await this.outcomes(failed);
    return records.map(({ value }) => outcomes.get(value) ?? done());
  }

  private async outcomes(failed: readonly FailedEvent[]): Promise<Map<MailEvent, Outcome>> {
    try {
      const outcomes = await this.failures.suppressAll(failed);
      return new Map(failed.map((event, index) => [event, outcomes[index] as Outcome]));
    } catch (error) {
      // The others of the batch are done; these come again by themselves.
      const again = retry(isAway(error) ? 'store-away' : 'fault');
      this.log.warn('suppression.events-wait', { events: failed.length, error });
      return new Map(failed.map((event) => [event, again]));
    }
  }
}

/**
 * The one reason for an entry of the platform's own making. Another 5xx says something about the sender (reputation, size,
 * policy) or about the moment, and the mailbox may well read its mail.
 */
function saysNoSuchMailbox(event: MailEvent): event is FailedEvent {
  return event.type === 'failed' && event.severity === 'permanent' && event.noSuchMailbox;
}

function isAway(error: unknown): boolean {
  return error instanceof VaultUnavailableError || error instanceof OverloadedError || isUnavailable(error);
}
