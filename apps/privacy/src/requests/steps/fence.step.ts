import { CONFIG } from '@lethe/service';
import { Inject, Injectable } from '@nestjs/common';
import { BarrierService } from '../../barrier/barrier.service.ts';
import type { PrivacyConfig } from '../../config.ts';
import { HolderRounds } from '../holders/holder.rounds.ts';
import { OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/**
 * 3. Once every process has heard of the cut-off, all holders say that nothing they began before is still under way. Then the
 * topics' ends are noted: nothing about these subjects is written behind them.
 */
@Injectable()
export class FenceStep implements RequestStep {
  readonly stage = 'fence';
  /** By this process's own clock, from when it saw the cut-off: clocks of others may be wrong, and a restart waits again. */
  private readonly seenAt = new Map<string, number>();

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly rounds: HolderRounds,
    private readonly barrier: BarrierService,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    if (request.answers.asked === 0 && !this.settled(request.id)) return false;
    if (!(await this.rounds.answered(request, 'fence'))) return false;
    this.seenAt.delete(request.id);
    const barrier = await this.barrier.ends();
    return this.requests.move(request, { stage: 'barrier', findings: { barrier } });
  }

  private settled(id: string): boolean {
    const now = performance.now();
    const seen = this.seenAt.get(id) ?? now;
    this.seenAt.set(id, seen);
    return now >= seen + this.config.FENCE_SETTLE_MS;
  }
}
