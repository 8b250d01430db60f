import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { RETENTION } from '@lethe/contracts';
import { CONFIG, Log, Rounds } from '@lethe/service';
import { type IngestConfig } from '../config.ts';
import { SendingDomains, type BodiesDays } from '../settings/sending.domains.ts';
import { RetentionRepository } from './retention.repository.ts';

const WEEK_DAYS = RETENTION.body.limitMs / 86_400_000;
/** Before every id. */
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * A retention that was shortened is one for what is there already, too (design §7): nobody reads it any more from that moment on
 * (`StoredService`), and here its bodies are given up, in every replica. So is an instruction that is over: what was kept by it for
 * longer than all others is kept no longer than they are.
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
    const [shortened, lengthened] = [this.domains.shortened(), this.domains.lengthened()];
    // Unsure: not put off until the next time, which a process that starts again would never see.
    if (!shortened || !lengthened || performance.now() < this.next) return;
    this.next = performance.now() + this.config.RETENTION_SHORTENED_MS;
    let messages = 0;
    if (shortened.domains.size + shortened.accounts.size > 0) messages += await this.remove(shortened);
    messages += await this.remove(lengthened, WEEK_DAYS);
    if (messages > 0) this.log.info('retention.shortened', { messages });
  }

  private async remove(kept: BodiesDays, others?: number): Promise<number> {
    let messages = 0;
    for (let after: string | undefined = FIRST; after !== undefined && !this.rounds.stopped;) {
      const removed: string[] = await this.messages.removeKept(kept, after, others);
      messages += removed.length;
      after = removed.at(-1);
    }
    return messages;
  }
}
