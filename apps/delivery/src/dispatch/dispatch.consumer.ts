import { Injectable } from '@nestjs/common';
import { MAIL_ACCEPTED } from '@lethe/contracts';
import { Consume, done, forgotten, reject, retry, type ConsumedRecord, type Outcome as Handled } from '@lethe/kafka';
import { SealError } from '@lethe/vault';
import { DeferredRepository } from '../deferred/deferred.repository.ts';
import { SettingsService } from '../settings/settings.service.ts';
import { AttemptService } from './attempt.service.ts';
import type { Attempt, Outcome } from './attempt.ts';
import { ConclusionService } from './conclusion.service.ts';
import { HandoverService } from './handover.service.ts';

type Accepted = ConsumedRecord<typeof MAIL_ACCEPTED>;

/** First attempts: one accepted record, one recipient. */
@Injectable()
export class DispatchConsumer {
  constructor(
    private readonly attempts: AttemptService,
    private readonly conclusions: ConclusionService,
    private readonly handover: HandoverService,
    private readonly deferred: DeferredRepository,
    private readonly settings: SettingsService,
  ) {}

  @Consume(MAIL_ACCEPTED, { claims: true, concurrency: 512, spill: 'spill' })
  async handle({ value: record, partition, maybeDuplicate, signal }: Accepted): Promise<Handled> {
    if (await this.handover.moved(record)) return done();
    if (this.handover.busy(record)) return retry('at-work', 500);
    // It was handed out before, to us or to a process that died: the queue may have it by now.
    if (maybeDuplicate && (await this.deferred.has(record))) return done();
    const work = this.handover.begin(record, maybeDuplicate);
    const lost = (): boolean => signal.aborted && !work.takenOver();
    const attempt: Attempt = { record, number: 1, maybeDuplicate };
    try {
      const outcome = await this.attempt(attempt, lost);
      if (outcome === 'unreadable') return reject('sealed-part');
      const queued = await work.end();
      await this.conclusions.conclude(attempt, partition, outcome, queued, () => signal.aborted && !queued);
      return handled(outcome, queued);
    } finally {
      work.leave();
    }
  }

  /** Not finished in time: the queue takes it, and the partition's watermark moves. */
  async spill({ value: record, partition, maybeDuplicate }: Accepted): Promise<boolean> {
    // Where nothing may be sent at all, Kafka is the better queue.
    return this.settings.fresh() && this.handover.takeOver(record, partition, maybeDuplicate);
  }

  private async attempt(attempt: Attempt, lost: () => boolean): Promise<Outcome | 'unreadable'> {
    try {
      return await this.attempts.run(attempt, lost);
    } catch (error) {
      if (error instanceof SealError) return 'unreadable';
      throw error;
    }
  }
}

function handled(outcome: Outcome, queued: boolean): Handled {
  if (outcome.kind === 'forgotten') return forgotten();
  return outcome.kind === 'later' && !queued ? retry(outcome.reason, outcome.afterMs) : done();
}
