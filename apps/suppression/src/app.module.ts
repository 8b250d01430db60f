import { DOMAIN_SETTINGS, MAIL_EVENTS, SUPPRESSION_ENTRIES } from '@lethe/contracts';
import { DatabaseModule } from '@lethe/database';
import { KafkaModule, OutboxModule } from '@lethe/kafka';
import { HOLDER_TOPICS, PrivacyHolderModule } from '@lethe/privacy-holder';
import { VaultModule } from '@lethe/vault';
import { Module } from '@nestjs/common';
import { BouncesController } from './bounces/bounces.controller.ts';
import { BouncesService } from './bounces/bounces.service.ts';
import { EntriesModule } from './entries/entries.module.ts';
import { FailuresConsumer } from './failures/failures.consumer.ts';
import { FailuresService } from './failures/failures.service.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { StandingUseWorker } from './privacy/standing-use.worker.ts';
import { SuppressionHolder } from './privacy/suppression.holder.ts';
import { DomainsTable } from './settings/domains.table.ts';
import { EndedDomainsWorker } from './settings/ended-domains.worker.ts';
import { UnsubscribeController } from './unsubscribes/unsubscribe.controller.ts';
import { UnsubscribeService } from './unsubscribes/unsubscribe.service.ts';

/** Every change goes through EntriesPublisher: state and record in one transaction. */
@Module({
  imports: [
    DatabaseModule.forService({ service: 'suppression', entities: [], migrations: MIGRATIONS }),
    VaultModule,
    KafkaModule.forService({
      name: 'suppression',
      consumes: [MAIL_EVENTS, ...HOLDER_TOPICS.consumes],
      // Publishing a compacted topic brings its heartbeat with it: while it is missing, delivery sends nothing.
      produces: [SUPPRESSION_ENTRIES, MAIL_EVENTS, ...HOLDER_TOPICS.produces],
      tables: [DOMAIN_SETTINGS],
    }),
    OutboxModule,
    EntriesModule,
    PrivacyHolderModule.forService('suppression', SuppressionHolder, { imports: [EntriesModule] }),
  ],
  controllers: [BouncesController, UnsubscribeController],
  providers: [
    DomainsTable,
    BouncesService,
    UnsubscribeService,
    EndedDomainsWorker,
    FailuresConsumer,
    FailuresService,
    StandingUseWorker,
  ],
})
export class AppModule {}
