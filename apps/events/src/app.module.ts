import { Module } from '@nestjs/common';
import { DOMAIN_SETTINGS, MAIL_EVENTS } from '@lethe/contracts';
import { KafkaModule } from '@lethe/kafka';
import { SearchModule } from '@lethe/search';
import { VaultModule } from '@lethe/vault';
import { EventIndex } from './index/event.index.ts';
import { IndexerConsumer } from './index/indexer.consumer.ts';
import { IndexerService } from './index/indexer.service.ts';
import { EventsController } from './query/events.controller.ts';
import { EventsService } from './query/events.service.ts';
import { PageTokens } from './query/page.token.ts';
import { DomainsTable } from './settings/domains.table.ts';

@Module({
  imports: [
    SearchModule,
    VaultModule,
    KafkaModule.forService({ name: 'events', consumes: [MAIL_EVENTS], tables: [DOMAIN_SETTINGS] }),
  ],
  controllers: [EventsController],
  providers: [EventIndex, IndexerConsumer, IndexerService, EventsService, PageTokens, DomainsTable],
})
export class EventsModule {}
