import { Module } from '@nestjs/common';
import { BodiesModule } from '@lethe/bodies';
import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS, MAIL_ACCEPTED, MAIL_EVENTS } from '@lethe/contracts';
import { DatabaseModule } from '@lethe/database';
import { KafkaModule, OutboxModule } from '@lethe/kafka';
import { HOLDER_TOPICS, PrivacyHolderModule } from '@lethe/privacy-holder';
import { VaultModule } from '@lethe/vault';
import { AcceptService } from './accept/accept.service.ts';
import { ComingMessages } from './accept/coming.messages.ts';
import { AcceptsUnderWay } from './accept/accepts.under-way.ts';
import { CommitService } from './accept/commit.service.ts';
import { MessageRepository } from './accept/message.repository.ts';
import { SealingService } from './accept/sealing.service.ts';
import { ApiForms } from './form/api.forms.ts';
import { MemoryBudget } from './form/memory.budget.ts';
import { EndedListsWorker } from './lists/ended.worker.ts';
import { ListsController } from './lists/lists.controller.ts';
import { ListsRepository } from './lists/lists.repository.ts';
import { ListsService } from './lists/lists.service.ts';
import { ImportsController } from './lists/members/imports.controller.ts';
import { ExpansionService } from './lists/members/expansion.service.ts';
import { MembersController } from './lists/members/members.controller.ts';
import { MembersRepository } from './lists/members/members.repository.ts';
import { MembersService } from './lists/members/members.service.ts';
import { MembersUseWorker } from './lists/members/standing-use.worker.ts';
import { IdempotencyRepository } from './idempotency/idempotency.repository.ts';
import { IdempotencyService } from './idempotency/idempotency.service.ts';
import { LoginBackoff } from './login/login.backoff.ts';
import { LoginService } from './login/login.service.ts';
import { IntakeService } from './messages/intake.service.ts';
import { MessagesController } from './messages/messages.controller.ts';
import { MIGRATIONS } from './migrations.ts';
import { MonthLimitController } from './permission/month-limit.controller.ts';
import { PermissionService } from './permission/permission.service.ts';
import { QuotaService } from './permission/quota.service.ts';
import { SentCountRepository } from './permission/sent-count.repository.ts';
import { AccountRepository } from './privacy/account.repository.ts';
import { FenceRepository } from './privacy/fence.repository.ts';
import { IngestHolder } from './privacy/ingest.holder.ts';
import { PersonRepository } from './privacy/person.repository.ts';
import { RetentionRepository } from './retention/retention.repository.ts';
import { RetentionWorker } from './retention/retention.worker.ts';
import { ShortenedWorker } from './retention/shortened.worker.ts';
import { SendingDomains } from './settings/sending.domains.ts';
import { SmtpListener } from './smtp/smtp.listener.ts';
import { SubmissionsService } from './smtp/submissions.service.ts';
import { ReadingBudget } from './stored/reading.budget.ts';
import { RemovalWorker } from './stored/removal.worker.ts';
import { ResendService } from './stored/resend.service.ts';
import { StoredController } from './stored/stored.controller.ts';
import { StoredRepository } from './stored/stored.repository.ts';
import { StoredService } from './stored/stored.service.ts';
import { EndedTemplatesWorker } from './templates/ended.worker.ts';
import { MessageTemplates } from './templates/render/message.templates.ts';
import { ProgramCache } from './templates/render/program.cache.ts';
import { TemplateSeals } from './templates/template.seals.ts';
import { TemplatesController } from './templates/templates.controller.ts';
import { TemplatesRepository } from './templates/templates.repository.ts';
import { TemplatesService } from './templates/templates.service.ts';
import { VersionsController } from './templates/versions/versions.controller.ts';
import { VersionsService } from './templates/versions/versions.service.ts';

@Module({
  imports: [
    DatabaseModule.forService({ service: 'ingest', entities: [], migrations: MIGRATIONS }),
    VaultModule,
    BodiesModule,
    KafkaModule.forService({
      name: 'ingest',
      consumes: [...HOLDER_TOPICS.consumes],
      produces: [MAIL_ACCEPTED, MAIL_EVENTS, ...HOLDER_TOPICS.produces],
      tables: [ACCOUNT_SETTINGS, DOMAIN_SETTINGS],
    }),
    OutboxModule,
    PrivacyHolderModule.forService('ingest', IngestHolder, {
      providers: [AccountRepository, FenceRepository, MembersRepository, PersonRepository],
    }),
  ],
  controllers: [
    ImportsController,
    ListsController,
    MembersController,
    MessagesController,
    MonthLimitController,
    StoredController,
    TemplatesController,
    VersionsController,
  ],
  providers: [
    AcceptService,
    AcceptsUnderWay,
    ComingMessages,
    ApiForms,
    CommitService,
    IdempotencyRepository,
    IdempotencyService,
    EndedListsWorker,
    EndedTemplatesWorker,
    ExpansionService,
    IntakeService,
    ListsRepository,
    ListsService,
    LoginBackoff,
    LoginService,
    MembersRepository,
    MembersService,
    MembersUseWorker,
    MemoryBudget,
    MessageRepository,
    MessageTemplates,
    PermissionService,
    ProgramCache,
    QuotaService,
    SentCountRepository,
    ReadingBudget,
    RemovalWorker,
    ResendService,
    SealingService,
    SendingDomains,
    SmtpListener,
    StoredRepository,
    StoredService,
    SubmissionsService,
    RetentionRepository,
    RetentionWorker,
    ShortenedWorker,
    TemplateSeals,
    TemplatesRepository,
    TemplatesService,
    VersionsService,
  ],
})
export class IngestModule {}
