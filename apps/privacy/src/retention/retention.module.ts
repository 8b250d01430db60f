import { Module } from '@nestjs/common';
import { LedgerModule } from '../ledger/ledger.module.ts';
import { HoldersMeter } from './holders.meter.ts';
import { ReadingRepository } from './reading.repository.ts';
import { RetentionController } from './retention.controller.ts';
import { RetentionTasks } from './retention.tasks.ts';
import { RetentionWorker } from './retention.worker.ts';
import { TopicsMeter } from './topics.meter.ts';
import { VaultMeter } from './vault.meter.ts';

/** Everything is gone on its day, and anybody who may ask sees that it is. */
@Module({
  imports: [LedgerModule],
  controllers: [RetentionController],
  providers: [HoldersMeter, TopicsMeter, VaultMeter, ReadingRepository, RetentionWorker, RetentionTasks],
  exports: [HoldersMeter],
})
export class RetentionModule {}
