import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ActiveWorker } from '../active/active.worker.ts';
import { ReleasedRepository } from '../ledger/released.repository.ts';
import { InFlightService } from '../release/in-flight.service.ts';
import { IdempotencyService } from './idempotency.service.ts';

const EVERY_MS = 60_000;

/** Removes what this service keeps for a day alone, before the day is over; and of keys that had to be gone, those past their drop time. */
@Injectable()
export class ExpirySweep implements OnApplicationBootstrap {
  constructor(
    private readonly active: ActiveWorker,
    private readonly idempotency: IdempotencyService,
    private readonly inFlight: InFlightService,
    private readonly released: ReleasedRepository,
  ) {}

  onApplicationBootstrap(): void {
    this.active.add({ name: 'expiry', everyMs: EVERY_MS, run: () => this.sweep() });
  }

  private async sweep(): Promise<void> {
    await this.idempotency.expire();
    await this.inFlight.expire();
    await this.released.expire();
  }
}
