import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { MAIL_ACCEPTED } from '@lethe/contracts';
import { Consume, done, forgotten, reject, retry, type ConsumedRecord, type Outcome as Handled } from '@lethe/kafka';
import { CONFIG } from '@lethe/service';
import { SealError } from '@lethe/vault';
import type { DeliveryConfig } from '../config.ts';
import { DeferredRepository } from '../deferred/deferred.repository.ts';
import { SettingsService } from '../settings/settings.service.ts';
import { AttemptService } from './attempt.service.ts';
import type { Attempt, Outcome } from './attempt.ts';
import { ConclusionService } from './conclusion.service.ts';
import { HandoverService, type Work } from './handover.service.ts';
import { PeopleUnderWay, type Flight } from './people.under-way.ts';

type Accepted = ConsumedRecord<typeof MAIL_ACCEPTED>;

/** First attempts: one accepted record, one recipient. */
@Injectable()
export class DispatchConsumer {
  readonly concurrency: number;

  constructor(
    private readonly attempts: AttemptService,
    private readonly conclusions: ConclusionService,
    private readonly handover: HandoverService,
    private readonly people: PeopleUnderWay,
    private readonly deferred: DeferredRepository,
    private readonly settings: SettingsService,
    @Inject(CONFIG) config: DeliveryConfig,
  ) {
    this.concurrency = config.DELIVERY_CONCURRENCY;
  }

  @Consume(MAIL_ACCEPTED, { claims: true, concurrencyFrom: 'concurrency', spill: 'spill' })
  async handle({ value: record, partition, maybeDuplicate: handedOut, signal }: Accepted): Promise<Handled> {
    if (await this.handover.moved(record)) return done();
    if (this.handover.busy(record)) return retry('at-work', 500);
    // Also one that is not marked: of two records of the same message, the marked one can be through first.
    if (this.handover.wasConcluded(record)) return done();
    const maybeDuplicate = handedOut || this.handover.mayBeQueued(record);
    const work = this.handover.begin(record, maybeDuplicate);
    const attempt: Attempt = { record, number: 1, maybeDuplicate };
    // Once the queue has the record its place here is free: the attempt goes on behind, bounded by the sessions there are.
    return Promise.race([
      this.finish(attempt, partition, work, signal),
      work.moved.then((): Handled => ({ kind: 'done' })),
    ]);
  }

  private async finish(attempt: Attempt, partition: number, work: Work, signal: AbortSignal): Promise<Handled> {
    const lost = (): boolean => signal.aborted && !work.takenOver();
    const flight = this.people.begin(attempt.record);
    try {
      // It was handed out before, to us or to a process that died: the queue may have it by now.
      if (attempt.maybeDuplicate && (await this.deferred.has(attempt.record))) return done();
      const outcome = await this.run(attempt, flight, lost, () => work.takenOver() || signal.aborted);
      const queued = await work.end();
      await this.conclusions.conclude(attempt, partition, outcome, queued, () => signal.aborted && !queued);
      if (outcome.kind !== 'later') work.concluded();
      return handled(outcome, queued);
    } catch (error) {
      // A fault of ours, or an outcome that could not be kept: what the queue has must not stay leased to nobody.
      if (await work.end()) await this.conclusions.putBack(attempt, partition);
      if (error instanceof SealError) return reject('sealed-part');
      throw error;
    } finally {
      work.leave();
      flight.end();
    }
  }

  /**
   * While nobody can be mailed at all, the record keeps its place: were it put back, every record there is would be handed out
   * in turn, and a crash would have to mark them all.
   */
  private async run(attempt: Attempt, flight: Flight, lost: () => boolean, given: () => boolean): Promise<Outcome> {
    for (;;) {
      const outcome = await this.attempts.run(attempt, flight, lost);
      const nobody = outcome.kind === 'later' && (outcome.reason === 'not-fresh' || outcome.reason === 'store-away');
      if (!nobody || given()) return outcome;
      await wait(outcome.afterMs);
    }
  }

  /** Not finished in time: the queue takes it, and the partition's watermark moves. */
  async spill({ value: record, partition, maybeDuplicate }: Accepted): Promise<boolean> {
    // Where nothing may be sent at all, Kafka is the better queue.
    return this.settings.fresh() && this.handover.takeOver(record, partition, maybeDuplicate);
  }
}

function handled(outcome: Outcome, queued: boolean): Handled {
  if (outcome.kind === 'forgotten') return forgotten();
  return outcome.kind === 'later' && !queued ? retry(outcome.reason, outcome.afterMs) : done();
}
