import { Module } from '@nestjs/common';
import { LedgerModule } from '../ledger/ledger.module.ts';
import { InFlightRepository } from './in-flight.repository.ts';
import { InFlightService } from './in-flight.service.ts';
import { ReleaseService } from './release.service.ts';
import { ReleaseSweep } from './release.sweep.ts';

/** Bodies that name an erased person: gone for readers at once, for good when nobody else waits for them. */
@Module({
  imports: [LedgerModule],
  providers: [InFlightRepository, InFlightService, ReleaseService, ReleaseSweep],
  exports: [InFlightService, ReleaseService],
})
export class ReleaseModule {}
