import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { MailAccepted } from '@lethe/contracts';
import { Clock, Log, Rounds } from '@lethe/service';
import type { Hold, Scope } from './hold.entity.ts';
import { HoldsRepository } from './holds.repository.ts';

const READ_EVERY_MS = 200;
/** What was read so long ago says nothing any more: then nothing is sent. So a change is in force everywhere after as long. */
export const TRUSTED_MS = 1_000;

const keyOf = (kind: Hold['kind'], scope: Scope, target: string): string => `${kind} ${scope} ${target}`;

/** Pauses and cancellations, in memory: read from the database all the time, and trusted for a second. */
@Injectable()
export class HoldsTable implements OnApplicationBootstrap, OnModuleDestroy {
  private holds: ReadonlyMap<string, Hold> = new Map();
  /** When the last reading began, by the monotonic clock. */
  private readAt = Number.NEGATIVE_INFINITY;
  private readonly rounds: Rounds;

  constructor(
    private readonly repository: HoldsRepository,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.rounds = new Rounds({
      everyMs: READ_EVERY_MS,
      work: () => this.read(),
      failed: (error) => this.fresh() && log.warn('holds.not-read', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  fresh(): boolean {
    return performance.now() - this.readAt < TRUSTED_MS;
  }

  /** Whether mail of its domain was cancelled after it was accepted. */
  cancelled({ domainId, acceptedAt }: Pick<MailAccepted, 'domainId' | 'acceptedAt'>): boolean {
    const cancel = this.holds.get(keyOf('cancel', 'domain', domainId));
    return cancel !== undefined && acceptedAt <= cancel.at.getTime();
  }

  pause(scope: Scope, target: string): Hold | undefined {
    const pause = this.holds.get(keyOf('pause', scope, target));
    return pause?.until && pause.until.getTime() <= this.clock.now() ? undefined : pause;
  }

  pauses(): Hold[] {
    return [...this.holds.values()].filter(({ kind }) => kind === 'pause');
  }

  private async read(): Promise<void> {
    const begun = performance.now();
    const holds = await this.repository.standing();
    this.holds = new Map(holds.map((hold) => [keyOf(hold.kind, hold.scope, hold.target), hold]));
    this.readAt = begun;
  }
}
