import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Log, Rounds } from '@lethe/service';
import { HoldsRepository } from './holds.repository.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Wakes what waits for a pause that is over, however it ended. Whoever resumes does not: a process that has not heard of it yet may
 * put a row to sleep after that.
 */
@Injectable()
export class ResumeWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly holds: HoldsRepository,
    private readonly log: Log,
  ) {
    this.rounds = new Rounds({
      everyMs: LOOK_EVERY_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('holds.not-woken', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  private async work(): Promise<void> {
    while (!this.rounds.stopped && (await this.holds.wakeResumed()) > 0);
  }
}
