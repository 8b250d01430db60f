import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock, CONFIG, Log, metrics } from '@lethe/service';
import { type EventsConfig } from '../config.ts';
import { EventIndex } from '../index/event.index.ts';
import { EVENT_CLASSES, goesAt } from './event.lifecycle.ts';

const dropped = metrics.counter('events.indices-dropped', { class: EVENT_CLASSES });

/**
 * Deletes the indices whose time has come (Art. 5(1)(e) GDPR). Where the cluster has ILM, that does it and this is the check on it:
 * an index that ILM left (stopped, or its policy taken away) goes all the same.
 */
@Injectable()
export class RetentionWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private underWay: Promise<void> | undefined;

  constructor(
    private readonly index: EventIndex,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: EventsConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.work(), this.config.RETENTION_WORK_MS);
    void this.work();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.underWay;
  }

  /** Never rejects: what could not be deleted now is tried again at the next turn, and `measure` shows it. */
  work(): Promise<void> {
    this.underWay ??= this.look()
      .catch((error: unknown) => this.log.warn('events.retention-failed', { error }))
      .finally(() => (this.underWay = undefined));
    return this.underWay;
  }

  private async look(): Promise<void> {
    const now = this.clock.now();
    for (const period of await this.index.existing()) {
      if (now < goesAt(period)) continue;
      await this.index.drop(period);
      dropped.add(1, { class: period.class });
      this.log.info('events.index-dropped', { class: period.class, bucket: period.bucket });
    }
  }
}
