import { BodiesModule } from '@lethe/bodies';
import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS, MAIL_ACCEPTED, MAIL_EVENTS, SUPPRESSION_ENTRIES } from '@lethe/contracts';
import { DatabaseModule } from '@lethe/database';
import { KafkaModule } from '@lethe/kafka';
import { HOLDER_TOPICS, PrivacyHolderModule } from '@lethe/privacy-holder';
import { VaultModule } from '@lethe/vault';
import { Module } from '@nestjs/common';
import { ComposerService } from './compose/composer.service.ts';
import { DkimSigner } from './compose/dkim-signer.ts';
import { LargeMessages } from './compose/large-messages.ts';
import { ReturnPaths } from './compose/return.paths.ts';
import { UnsubscribeLinks } from './compose/unsubscribe.links.ts';
import { Deferred } from './deferred/deferred.entity.ts';
import { DeferredRepository } from './deferred/deferred.repository.ts';
import { MIGRATIONS } from './deferred/migrations/migrations.ts';
import { RetryWorker } from './deferred/retry.worker.ts';
import { SweepWorker } from './deferred/sweep.worker.ts';
import { AttemptService } from './dispatch/attempt.service.ts';
import { ConclusionService } from './dispatch/conclusion.service.ts';
import { DispatchConsumer } from './dispatch/dispatch.consumer.ts';
import { EventsPublisher } from './dispatch/events.publisher.ts';
import { HandoverService } from './dispatch/handover.service.ts';
import { PeopleModule } from './dispatch/people.module.ts';
import { ExchangeModule } from './exchange/exchange.module.ts';
import { Hold } from './holding/hold.entity.ts';
import { HoldingService } from './holding/holding.service.ts';
import { HoldsRepository } from './holding/holds.repository.ts';
import { HoldsTable } from './holding/holds.table.ts';
import { PausesController } from './holding/pauses.controller.ts';
import { QueuesController } from './holding/queues.controller.ts';
import { ResumeWorker } from './holding/resume.worker.ts';
import { WarmUpRow } from './pools/warm-up.entity.ts';
import { DeliveryHolder } from './privacy/delivery.holder.ts';
import { PersonRepository } from './privacy/person.repository.ts';
import { SettingsService } from './settings/settings.service.ts';
import { ShredModule } from './shred/shred.module.ts';
import { StsRow } from './sts/sts.entity.ts';

@Module({
  imports: [
    DatabaseModule.forService({
      service: 'delivery',
      entities: [Deferred, Hold, StsRow, WarmUpRow],
      migrations: MIGRATIONS,
    }),
    VaultModule,
    BodiesModule,
    KafkaModule.forService({
      name: 'delivery',
      consumes: [MAIL_ACCEPTED, ...HOLDER_TOPICS.consumes],
      produces: [MAIL_EVENTS, ...HOLDER_TOPICS.produces],
      // What became of messages sent together is known within some milliseconds.
      publishLingerMs: 5,
      tables: [DOMAIN_SETTINGS, ACCOUNT_SETTINGS, SUPPRESSION_ENTRIES],
    }),
    ExchangeModule,
    PeopleModule,
    ShredModule,
    PrivacyHolderModule.forService('delivery', DeliveryHolder, {
      imports: [PeopleModule, ShredModule],
      providers: [HoldsRepository, PersonRepository],
    }),
  ],
  controllers: [QueuesController, PausesController],
  providers: [
    // A record: permission, composition, exchange, verdict; then what became of it.
    DispatchConsumer,
    AttemptService,
    SettingsService,
    ComposerService,
    DkimSigner,
    UnsubscribeLinks,
    ReturnPaths,
    LargeMessages,
    ConclusionService,
    EventsPublisher,
    // What is not finished: taken over from Kafka, attempted again.
    HandoverService,
    DeferredRepository,
    RetryWorker,
    SweepWorker,
    // What is held back: paused, or given up.
    HoldsTable,
    HoldsRepository,
    HoldingService,
    ResumeWorker,
  ],
})
export class DeliveryModule {}
