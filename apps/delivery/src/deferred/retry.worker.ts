import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { MAIL_ACCEPTED } from '@lethe/contracts';
import { KafkaLifecycle } from '@lethe/kafka';
import { CONFIG, Log } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';
import { AttemptService } from '../dispatch/attempt.service.ts';
import { ConclusionService } from '../dispatch/conclusion.service.ts';
import { HandoverService } from '../dispatch/handover.service.ts';
import { PeopleUnderWay } from '../dispatch/people.under-way.ts';
import { SettingsService } from '../settings/settings.service.ts';
import { DeferredRepository, type DeferredAttempt, type Key } from './deferred.repository.ts';

const LEFT_MS = 500;

const keyOf = ({ messageId, ordinal }: Key): string => `${messageId}/${ordinal}`;

/**
 * Attempts after the first. Only rows of the partitions this process consumes are taken, so that one destination's
 * connections and back-off stay in one process; the lease covers the moment in which a partition moves.
 */
@Injectable()
export class RetryWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly atWork = new Map<string, { record: Key; work: Promise<void> }>();
  private poll: NodeJS.Timeout | undefined;
  private renewal: NodeJS.Timeout | undefined;
  private looking = false;
  private stopped = false;

  constructor(
    private readonly deferred: DeferredRepository,
    private readonly attempts: AttemptService,
    private readonly conclusions: ConclusionService,
    private readonly handover: HandoverService,
    private readonly people: PeopleUnderWay,
    private readonly settings: SettingsService,
    private readonly kafka: KafkaLifecycle,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: DeliveryConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.poll = setInterval(() => void this.look(), this.config.RETRY_POLL_MS);
    this.renewal = setInterval(() => void this.renew(), this.config.RETRY_LEASE_MS / 3);
  }

  /** Takes nothing more and lets what runs end, for as long as the shutdown allows; the rest comes back when its lease ends. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearInterval(this.poll);
    await Promise.race([
      Promise.allSettled([...this.atWork.values()].map(({ work }) => work)),
      graceEnds(this.config.KAFKA_DRAIN_MS),
    ]);
    clearInterval(this.renewal);
  }

  private async look(): Promise<void> {
    const free = this.config.RETRY_CONCURRENCY - this.atWork.size;
    const partitions = this.kafka.partitionsOf(MAIL_ACCEPTED);
    if (this.looking || this.stopped || free <= 0 || partitions.length === 0 || !this.settings.fresh()) return;
    this.looking = true;
    try {
      for (const row of await this.deferred.claim(partitions, free)) this.start(row);
    } catch (error) {
      this.log.warn('deferred.not-read', { error });
    } finally {
      this.looking = false;
    }
  }

  private start(row: DeferredAttempt): void {
    const { record } = row;
    const key = keyOf(record);
    // Claimed although we are at it: our lease was not renewed in time. It goes on, and keeps its outcome itself.
    if (this.atWork.has(key)) return;
    const work = (this.handover.busy(record) ? this.leave(row) : this.run(row)).finally(() => {
      this.atWork.delete(key);
      if (!this.stopped && this.atWork.size === this.config.RETRY_CONCURRENCY - 1) void this.look();
    });
    this.atWork.set(key, { record, work });
  }

  /**
   * Its record has come again from Kafka and is just being looked at, or its attempt is under way and holds the row itself:
   * either way it is soon clear.
   */
  private async leave(row: DeferredAttempt): Promise<void> {
    if (this.handover.holds(row.record)) return;
    try {
      await this.deferred.again(row, Date.now() + LEFT_MS);
    } catch (error) {
      // Its lease ends by itself.
      this.log.warn('deferred.not-put-back', { messageId: row.record.messageId, error });
    }
  }

  private async run({ record, partition, attempt: number, maybeDuplicate }: DeferredAttempt): Promise<void> {
    const attempt = { record, number, maybeDuplicate };
    const stopped = (): boolean => this.stopped;
    const flight = this.people.begin(record);
    try {
      const outcome = await this.attempts.run(attempt, flight, stopped);
      await this.conclusions.conclude(attempt, partition, outcome, true, stopped);
      // Its record may be in Kafka yet, or twice.
      if (outcome.kind !== 'later') this.handover.concluded(record);
    } catch (error) {
      this.log.error('deferred.attempt-failed', { messageId: record.messageId, ordinal: record.ordinal, error });
      await this.conclusions.putBack(attempt, partition);
    } finally {
      flight.end();
    }
  }

  private async renew(): Promise<void> {
    try {
      const keys = [...this.handover.held(), ...[...this.atWork.values()].map(({ record }) => record)];
      if (keys.length > 0) await this.deferred.renew(keys);
    } catch (error) {
      this.log.warn('deferred.leases-not-renewed', { error });
    }
  }
}

function graceEnds(afterMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, afterMs).unref();
  });
}
