import { Module } from '@nestjs/common';
import { SearchModule } from '@lethe/search';
import { VaultModule } from '@lethe/vault';
import { EventLimits } from '../retention/event.limits.ts';
import { EventIndex } from './event.index.ts';
import { IndexerConsumer } from './indexer.consumer.ts';
import { IndexerService } from './indexer.service.ts';

/** The projection: what is indexed, and what of it is under way, is asked by searches, erasures and retention alike. */
@Module({
  imports: [SearchModule, VaultModule],
  providers: [EventIndex, EventLimits, IndexerConsumer, IndexerService],
  exports: [EventIndex, EventLimits, IndexerService, SearchModule],
})
export class IndexModule {}
