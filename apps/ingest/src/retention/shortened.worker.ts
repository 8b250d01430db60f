import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, Log, Rounds } from '@lethe/service';
import { type IngestConfig } from '../config.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { RetentionRepository } from './retention.repository.ts';

/** Before every id. */
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * A retention that was shortened is one for what is there already, too (design §7): nobody reads it any more from that moment on
 * (`StoredService`), and here its bodies are given up, in every replica.
 */
@Injectable()
export class ShortenedWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;
  /** When all of them are looked at again, by `performance.now()`. */
  private next = 0;

  constructor(
    private readonly messages: RetentionRepository,
    private readonly domains: SendingDomains,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {
    this.rounds = new Rounds({
      everyMs: config.RETENTION_WORK_MS,
      work: () => this.work(),
      failed: (error) => this.log.warn('retention.shortening-interrupted', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  private async work(): Promise<void> {
    const shortened = this.domains.shortened();
    // Unsure: not put off until the next time, which a process that starts again would never see.
    if (!shortened || performance.now() < this.next) return;
    this.next = performance.now() + this.config.RETENTION_SHORTENED_MS;
    if (shortened.domains.size + shortened.accounts.size === 0) return;
    let messages = 0;
    for (let after: string | undefined = FIRST; after !== undefined && !this.rounds.stopped;) {
      const removed: string[] = await this.messages.removeShortened(shortened, after);
      messages += removed.length;
      after = removed.at(-1);
    }
    if (messages > 0) this.log.info('retention.shortened', { messages });
  }
}
