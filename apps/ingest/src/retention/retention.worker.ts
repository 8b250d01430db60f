import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { BodyStore } from '@lethe/bodies';
import { CONFIG, Log } from '@lethe/service';
import { type IngestConfig } from '../config.ts';
import { RetentionRepository } from './retention.repository.ts';

/**
 * Keeps what ingest holds within its limits (design §7), in every replica: partitions of bodies are made ahead and dropped on
 * their time, messages deleted on theirs. Nobody has to be told: the keys end by themselves in the vault, at the same time.
 */
@Injectable()
export class RetentionWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly messages: RetentionRepository,
    private readonly bodies: BodyStore,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  /** At once: a service that was down may be late. */
  onApplicationBootstrap(): void {
    this.running = this.round();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async round(): Promise<void> {
    try {
      const [messages, partitions] = await this.work();
      if (messages + partitions > 0) this.log.info('retention.removed', { messages, partitions });
    } catch (error) {
      this.log.warn('retention.interrupted', { error });
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.round();
    }, this.config.RETENTION_WORK_MS);
  }

  private async work(): Promise<[messages: number, partitions: number]> {
    await this.bodies.makeAhead();
    const partitions = await this.bodies.dropDue();
    let messages = 0;
    for (let some = 1; some > 0 && !this.stopped; messages += some) some = await this.messages.deleteDue();
    return [messages, partitions];
  }
}
