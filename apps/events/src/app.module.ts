import { Module } from '@nestjs/common';
import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS, MAIL_EVENTS } from '@lethe/contracts';
import { KafkaModule } from '@lethe/kafka';
import { HOLDER_TOPICS, PrivacyHolderModule } from '@lethe/privacy-holder';
import { VaultModule } from '@lethe/vault';
import { IndexModule } from './index/index.module.ts';
import { EventErasure } from './privacy/event.erasure.ts';
import { EventsHolder } from './privacy/events.holder.ts';
import { EventsController } from './query/events.controller.ts';
import { EventsService } from './query/events.service.ts';
import { PageTokens } from './query/page.token.ts';
import { ShortenedWorker } from './retention/shortened.worker.ts';
import { RetentionWorker } from './retention/retention.worker.ts';

@Module({
  imports: [
    VaultModule,
    KafkaModule.forService({
      name: 'events',
      consumes: [MAIL_EVENTS, ...HOLDER_TOPICS.consumes],
      produces: HOLDER_TOPICS.produces,
      tables: [ACCOUNT_SETTINGS, DOMAIN_SETTINGS],
    }),
    IndexModule,
    PrivacyHolderModule.forService('events', EventsHolder, { imports: [IndexModule], providers: [EventErasure] }),
  ],
  controllers: [EventsController],
  providers: [EventsService, PageTokens, EventErasure, RetentionWorker, ShortenedWorker],
})
export class EventsModule {}
