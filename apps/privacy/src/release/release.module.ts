import { Module } from '@nestjs/common';
import { BarrierService } from '../barrier/barrier.service.ts';
import { LedgerModule } from '../ledger/ledger.module.ts';
import { InFlightRepository } from './in-flight.repository.ts';
import { InFlightService } from './in-flight.service.ts';
import { ReleaseService } from './release.service.ts';
import { ReleaseSweep } from './release.sweep.ts';

/** Bodies that name an erased person, or that their account has removed: gone for readers at once, for good when nobody waits for them. */
@Module({
  imports: [LedgerModule],
  providers: [BarrierService, InFlightRepository, InFlightService, ReleaseService, ReleaseSweep],
  exports: [BarrierService, InFlightService, ReleaseService],
})
export class ReleaseModule {}
