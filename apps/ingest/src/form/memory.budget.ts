import { Inject, Injectable } from '@nestjs/common';
import { ApiError, CONFIG } from '@lethe/service';
import { type IngestConfig } from '../config.ts';

/** Room a request's form, the composed message and its seal take, per octet received. */
export const COPIES = 3;

export type BudgetConfig = Pick<IngestConfig, 'BYTES_IN_FLIGHT' | 'MESSAGE_MAX_BYTES' | 'REQUESTS_WAITING'>;

interface Waiting {
  readonly bytes: number;
  readonly resolve: () => void;
}

/** Memory for messages under way is bounded by configuration: who finds none waits in line, a bounded one. */
@Injectable()
export class MemoryBudget {
  private free: number;
  private readonly waiting: Waiting[] = [];

  constructor(@Inject(CONFIG) private readonly config: BudgetConfig) {
    this.free = config.BYTES_IN_FLIGHT;
  }

  /**
   * Runs `task` with room for a request of `bytes` octets (unknown: the largest message). What the task turns out to need
   * besides, it asks of `more`, which does not wait: two that wait for each other's room would do so for ever.
   * @throws ApiError 503 when too many wait, or there is no room for more.
   */
  async run<T>(bytes: number | undefined, task: (more: (bytes: number) => void) => Promise<T>): Promise<T> {
    let room = Math.min(this.config.BYTES_IN_FLIGHT, COPIES * (bytes ?? this.config.MESSAGE_MAX_BYTES) + 16_384);
    await this.take(room);
    try {
      return await task((wanted) => {
        const extra = Math.min(wanted, this.config.BYTES_IN_FLIGHT - room);
        if (extra > this.free) throw this.busy();
        this.free -= extra;
        room += extra;
      });
    } finally {
      this.free += room;
      this.admit();
    }
  }

  protected busy(): ApiError {
    return new ApiError(503, 'too many messages are being accepted: try again', { retryAfterSeconds: 2 });
  }

  private async take(bytes: number): Promise<void> {
    if (this.waiting.length === 0 && bytes <= this.free) {
      this.free -= bytes;
      return;
    }
    if (this.waiting.length >= this.config.REQUESTS_WAITING) {
      throw this.busy();
    }
    await new Promise<void>((resolve) => this.waiting.push({ bytes, resolve }));
  }

  private admit(): void {
    for (let first = this.waiting[0]; first && first.bytes <= this.free; first = this.waiting[0]) {
      this.waiting.shift();
      this.free -= first.bytes;
      first.resolve();
    }
  }
}
