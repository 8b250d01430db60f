import { Module } from '@nestjs/common';
import { BodiesModule } from '@lethe/bodies';
import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS, MAIL_ACCEPTED, MAIL_EVENTS } from '@lethe/contracts';
import { DatabaseModule } from '@lethe/database';
import { KafkaModule, OutboxModule } from '@lethe/kafka';
import { VaultModule } from '@lethe/vault';
import { AcceptService } from './accept/accept.service.ts';
import { CommitService } from './accept/commit.service.ts';
import { MessageRepository } from './accept/message.repository.ts';
import { SealingService } from './accept/sealing.service.ts';
import { MemoryBudget } from './form/memory.budget.ts';
import { MessagesController } from './messages/messages.controller.ts';
import { MIGRATIONS } from './migrations.ts';
import { SendingDomains } from './settings/sending.domains.ts';

@Module({
  imports: [
    DatabaseModule.forService({ service: 'ingest', entities: [], migrations: MIGRATIONS }),
    VaultModule,
    BodiesModule,
    KafkaModule.forService({
      name: 'ingest',
      produces: [MAIL_ACCEPTED, MAIL_EVENTS],
      tables: [ACCOUNT_SETTINGS, DOMAIN_SETTINGS],
    }),
    OutboxModule,
  ],
  controllers: [MessagesController],
  providers: [AcceptService, CommitService, MemoryBudget, MessageRepository, SealingService, SendingDomains],
})
export class IngestModule {}
