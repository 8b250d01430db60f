import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { BodyStore } from '@lethe/bodies';
import { CONFIG, Log, Rounds } from '@lethe/service';
import { type IngestConfig } from '../config.ts';
import { IdempotencyRepository } from '../idempotency/idempotency.repository.ts';
import { SentCountRepository } from '../permission/sent-count.repository.ts';
import { RetentionRepository } from './retention.repository.ts';

/**
 * Keeps what ingest holds within its limits (design §7), in every replica: bodies are dropped on their time, messages deleted on
 * theirs. Nobody has to be told: the keys end by themselves in the vault, at the same time.
 */
@Injectable()
export class RetentionWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly messages: RetentionRepository,
    private readonly bodies: BodyStore,
    private readonly idempotency: IdempotencyRepository,
    private readonly sent: SentCountRepository,
    private readonly log: Log,
    @Inject(CONFIG) config: IngestConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.RETENTION_WORK_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('retention.interrupted', { error }),
    });
  }

  /** At once: a service that was down may be late. */
  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  private async work(): Promise<void> {
    const bodies = await this.bodies.dropDue();
    await this.idempotency.expire();
    await this.sent.deleteOld();
    await this.messages.deleteUnpublished();
    let messages = 0;
    for (let some = 1; some > 0 && !this.rounds.stopped; messages += some) some = await this.messages.deleteDue();
    await this.bodies.makeAhead();
    const orphans = await this.bodies.dropOrphans((ids) => this.messages.known(ids));
    if (messages + bodies + orphans > 0) this.log.info('retention.removed', { messages, dropTimes: bodies, orphans });
  }
}
