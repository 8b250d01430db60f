import { Inject, Injectable } from '@nestjs/common';
import { ApiError, CONFIG } from '@lethe/service';
import { type IngestConfig } from '../config.ts';

/** Room a request's form, the composed message and its seal take, per octet received. */
export const COPIES = 3;

export type BudgetConfig = Pick<IngestConfig, 'BYTES_IN_FLIGHT' | 'MESSAGE_MAX_BYTES' | 'REQUESTS_WAITING'>;

/** What of it one account's requests have at most together: some is left for all others, however slowly those are sent or read. */
const SHARE = 7 / 8;

interface Waiting {
  readonly account: string;
  readonly bytes: number;
  readonly resolve: () => void;
}

/** Memory for messages under way is bounded by configuration: who finds none waits in line, a bounded one. */
@Injectable()
export class MemoryBudget {
  private free: number;
  private readonly waiting: Waiting[] = [];
  /** By account, of those that have any. */
  private readonly held = new Map<string, number>();

  constructor(@Inject(CONFIG) private readonly config: BudgetConfig) {
    this.free = config.BYTES_IN_FLIGHT;
  }

  /**
   * Runs `task` with room for a request of `bytes` octets (unknown: the largest message) of the account. What the task turns out to need
   * besides, it asks of `more`, which does not wait: two that wait for each other's room would do so for ever.
   * @throws ApiError 503 when too many wait, or there is no room for more.
   */
  async run<T>(
    account: string,
    bytes: number | undefined,
    task: (more: (bytes: number) => void) => Promise<T>,
  ): Promise<T> {
    let room = Math.min(this.config.BYTES_IN_FLIGHT, COPIES * (bytes ?? this.config.MESSAGE_MAX_BYTES) + 16_384);
    await this.take(account, room);
    try {
      return await task((wanted) => {
        const extra = Math.min(wanted, this.config.BYTES_IN_FLIGHT - room);
        const alone = this.held.get(account) === room;
        if (extra > this.free || !(alone || this.mayHold({ account, bytes: extra }))) throw this.busy();
        this.hold(account, extra);
        room += extra;
      });
    } finally {
      this.hold(account, -room);
      this.admit();
    }
  }

  protected busy(): ApiError {
    return new ApiError(503, 'too many messages are being accepted: try again', { retryAfterSeconds: 2 });
  }

  private async take(account: string, bytes: number): Promise<void> {
    const hasTurn = this.waiting.every((other) => !this.mayHold(other));
    if (hasTurn && bytes <= this.free && this.mayHold({ account, bytes })) return this.hold(account, bytes);
    if (this.waiting.length >= this.config.REQUESTS_WAITING) {
      throw this.busy();
    }
    await new Promise<void>((resolve) => this.waiting.push({ account, bytes, resolve }));
  }

  /** In the order in which they came, but for those that wait for others of their own account. */
  private admit(): void {
    for (;;) {
      const next = this.waiting.findIndex((one) => this.mayHold(one));
      const first = this.waiting[next];
      if (!first || first.bytes > this.free) return;
      this.waiting.splice(next, 1);
      this.hold(first.account, first.bytes);
      first.resolve();
    }
  }

  /** One alone may always have what it needs. */
  private mayHold({ account, bytes }: Pick<Waiting, 'account' | 'bytes'>): boolean {
    const held = this.held.get(account);
    return held === undefined || held + bytes <= SHARE * this.config.BYTES_IN_FLIGHT;
  }

  private hold(account: string, bytes: number): void {
    this.free -= bytes;
    const held = (this.held.get(account) ?? 0) + bytes;
    if (held === 0) this.held.delete(account);
    else this.held.set(account, held);
  }
}
