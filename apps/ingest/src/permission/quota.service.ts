import { Injectable } from '@nestjs/common';
import type { Quota } from '@lethe/contracts';
import { ApiError, Clock } from '@lethe/service';
import { SentCountRepository } from './sent-count.repository.ts';

/** For so long a count is believed: other replicas add to it meanwhile. */
const LOOK_MS = 1_000;
/** Counts kept at a time, each for a second. */
const MAX_KNOWN = 10_000;

/** Who has a quota, by id; `what` names it to people. */
export interface Limited {
  readonly id: string;
  readonly what: 'account' | 'domain';
  readonly quota: Quota;
}

interface Known {
  readonly until: number;
  day: number;
  month: number;
}

/**
 * Quotas of accounts and domains. What was sent is counted in the database by each commit; here it is looked at once a second, and
 * what this process lets in is added meanwhile. So a quota may be overrun by what the other replicas accept within a second, and
 * no more; what is under way at a look may count twice until the next, and a crash loses nothing of the count.
 */
@Injectable()
export class QuotaService {
  private readonly known = new Map<string, Known>();
  private readonly looks = new Map<string, Promise<Known>>();
  /** Recipients let in and not committed yet, by id. */
  private readonly underWay = new Map<string, number>();

  constructor(
    private readonly counts: SentCountRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * A message goes in whole or not at all. Answers what to call when it is committed or given up.
   * @throws ApiError 429. It has no Retry-After: a client that obeyed it would sleep until the month is over.
   */
  async take(limited: readonly Limited[], recipients: number): Promise<() => void> {
    const counts = await Promise.all(limited.map(({ id }) => this.sent(id)));
    for (const [index, { what, quota }] of limited.entries()) {
      const sent = counts[index] as Known;
      for (const span of ['day', 'month'] as const) {
        const limit = quota[span];
        if (limit === undefined || sent[span] + recipients <= limit) continue;
        throw new ApiError(
          429,
          `The ${what} has a limit of ${limit} recipients a ${span}, and it is reached: the next ${span} begins at midnight UTC`,
        );
      }
    }
    for (const sent of counts) {
      sent.day += recipients;
      sent.month += recipients;
    }
    for (const { id } of limited) this.move(id, recipients);
    return () => {
      for (const { id } of limited) this.move(id, -recipients);
    };
  }

  private async sent(id: string): Promise<Known> {
    const known = this.known.get(id);
    if (known && this.clock.now() < known.until) return known;
    const look = this.looks.get(id) ?? this.look(id).finally(() => this.looks.delete(id));
    this.looks.set(id, look);
    return look;
  }

  private async look(id: string): Promise<Known> {
    // Nobody is let in during a look: all who ask wait for it.
    const underWay = this.underWay.get(id) ?? 0;
    const { day, month } = await this.counts.read(id);
    const known = { day: day + underWay, month: month + underWay, until: this.clock.now() + LOOK_MS };
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(id, known);
    return known;
  }

  private move(id: string, recipients: number): void {
    const left = (this.underWay.get(id) ?? 0) + recipients;
    if (left === 0) this.underWay.delete(id);
    else this.underWay.set(id, left);
  }
}
