import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { NotPublishableError } from '@lethe/kafka';
import { Clock, CONFIG, Log } from '@lethe/service';
import { ForgottenError } from '@lethe/vault';
import type { DeliveryConfig } from '../config.ts';
import { DeferredRepository, type DeferredAttempt } from '../deferred/deferred.repository.ts';
import { nextAttemptAt, parseDelays } from '../deferred/retry.policy.ts';
import { ShredRepository } from '../shred/shred.repository.ts';
import { countOutcome } from './dispatch.metrics.ts';
import type { Attempt, Outcome } from './attempt.ts';
import { EventsPublisher } from './events.publisher.ts';

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
const FAULT_DELAY_MS = 60_000;

/**
 * Keeps what an attempt came to, in the order that loses nothing: the event is in Kafka before the queue says that there is
 * another attempt, and both before the record (or row) it came from is let go. A crash in between repeats the attempt,
 * marked, under the same event id.
 */
@Injectable()
export class ConclusionService {
  private readonly delays: number[];

  constructor(
    private readonly events: EventsPublisher,
    private readonly deferred: DeferredRepository,
    private readonly shred: ShredRepository,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) config: DeliveryConfig,
  ) {
    // The schema has read it once: it is a list of delays.
    this.delays = parseDelays(config.RETRY_DELAYS) ?? [];
  }

  /**
   * `queued`: the attempt has a row in the deferred queue. What became of a message is kept however long the stores are
   * away: the caller waits, and with it the place it holds. Rejects only when `gone` says that it does not matter any more.
   */
  async conclude(
    attempt: Attempt,
    partition: number,
    outcome: Outcome,
    queued: boolean,
    gone: () => boolean,
  ): Promise<void> {
    const { record, number, maybeDuplicate } = attempt;
    countOutcome(outcome, attempt);
    const same = { record, partition, attempt: number, maybeDuplicate };
    if (outcome.kind === 'later') {
      if (queued) await this.queue(same, this.clock.now() + outcome.afterMs, queued, gone);
      return;
    }
    if (outcome.kind === 'waits') {
      const { until, pausedBy } = outcome;
      await this.queue({ ...same, ...(pausedBy ? { pausedBy } : {}) }, until, queued, gone);
      return;
    }
    const temporary = outcome.kind === 'failed' && outcome.severity === 'temporary';
    const nextAt = temporary ? nextAttemptAt(this.delays, number, this.clock.now(), record.expiresAt) : undefined;
    const told = outcome.kind !== 'forgotten' && (await this.tell(attempt, outcome, nextAt, gone));
    if (told && nextAt !== undefined) {
      const ambiguous = outcome.kind === 'failed' && outcome.ambiguous;
      const next = { record, partition, attempt: number + 1, maybeDuplicate: maybeDuplicate || ambiguous };
      await this.queue(next, nextAt, queued, gone);
      return;
    }
    // There is no next attempt.
    await this.keep(() => this.shred.ended(record), gone);
    if (queued) await this.keep(() => this.deferred.remove(record), gone);
  }

  /** After a fault: the queue has the attempt and shall make it again, later, so that it does not spin. */
  async putBack({ record, number }: Attempt, partition: number): Promise<void> {
    try {
      // What had become of it may be what could not be kept.
      const again = { record, partition, attempt: number, maybeDuplicate: true };
      await this.deferred.again(again, this.clock.now() + FAULT_DELAY_MS);
    } catch (error) {
      // Its lease ends by itself: it comes back as one whose process died.
      this.log.warn('delivery.not-put-back', { messageId: record.messageId, error });
    }
  }

  /** False if the person was forgotten meanwhile: there is nobody left to tell about. */
  private async tell(
    attempt: Attempt,
    outcome: Extract<Outcome, { kind: 'delivered' | 'failed' }>,
    retryAt: number | undefined,
    gone: () => boolean,
  ): Promise<boolean> {
    try {
      await this.keep(() => this.events.publish(attempt, outcome, retryAt), gone);
      return true;
    } catch (error) {
      if (error instanceof ForgottenError) return false;
      // A fault of ours. Repeating the attempt would send the mail again and again and not repair it.
      if (!(error instanceof NotPublishableError)) throw error;
      this.log.error('delivery.event-not-publishable', { messageId: attempt.record.messageId, error });
      return true;
    }
  }

  private queue(next: DeferredAttempt, nextAt: number, queued: boolean, gone: () => boolean): Promise<void> {
    return this.keep(() => (queued ? this.deferred.again(next, nextAt) : this.deferred.put(next, nextAt)), gone);
  }

  /** Tries until it is done. */
  private async keep(work: () => Promise<void>, gone: () => boolean): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      try {
        await work();
        return;
      } catch (error) {
        if (error instanceof ForgottenError || error instanceof NotPublishableError || gone()) throw error;
        if (waitMs === FIRST_WAIT_MS) this.log.warn('delivery.outcome-not-kept', { error });
        await wait(waitMs);
      }
    }
  }
}
