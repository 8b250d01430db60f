import { Log, Rounds } from '@lethe/service';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InstructionsService } from './instructions.service.ts';

const EVERY_MS = 30_000;

/** Instructions begin and end on their time, in whatever replica. */
@Injectable()
export class InstructionsWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(instructions: InstructionsService, log: Log) {
    this.rounds = new Rounds({
      everyMs: EVERY_MS,
      work: async () => {
        const accounts = await instructions.turn();
        if (accounts > 0) log.info('retention.instructions-turned', { accounts });
      },
      failed: (error) => log.warn('retention.instructions-not-turned', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }
}
