import { Clock, CONFIG, Log, Rounds } from '@lethe/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type EventsConfig } from '../config.ts';
import { EventErasure } from '../privacy/event.erasure.ts';
import { EventLimits, type Shortened } from './event.limits.ts';

const DAY = 86_400_000;

/** Deletes events that are older than their domain keeps them now, document by document, in every replica. Searches hide them before. */
@Injectable()
export class ShortenedWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;
  /** When all of them are looked at again, by `performance.now()`. */
  private next = 0;

  constructor(
    private readonly erasure: EventErasure,
    private readonly limits: EventLimits,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: EventsConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.RETENTION_WORK_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('events.shortening-failed', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  private async work(): Promise<void> {
    const shortened = this.limits.shortened();
    // Unsure: not put off until the next time, which a process that starts again would never see.
    if (!shortened || performance.now() < this.next) return;
    this.next = performance.now() + this.config.RETENTION_SHORTENED_MS;
    const count = await this.remove(shortened);
    if (count === 0) return;
    await this.erasure.expunge();
    this.log.info('events.shortened', { count });
  }

  private async remove({ domains, accounts }: Shortened): Promise<number> {
    let count = 0;
    for (const [days, some] of Map.groupBy(domains, ([, kept]) => kept)) {
      const ids = some.map(([id]) => id);
      count += await this.erasure.removeOlder(ids, this.before(days));
    }
    for (const [days, some] of Map.groupBy(accounts, ([, kept]) => kept.days)) {
      count += await this.erasure.removeOlderOfOthers(
        some.map(([id, kept]) => ({ account: id, domains: kept.domains })),
        this.before(days),
      );
    }
    return count;
  }

  private before(days: number): number {
    return this.clock.now() - days * DAY;
  }
}
