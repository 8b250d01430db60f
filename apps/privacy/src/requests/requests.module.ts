import { Module } from '@nestjs/common';
import { CertificatesModule } from '../certificates/certificates.module.ts';
import { ClosingsController } from '../closings/closings.controller.ts';
import { ClosingsRepository } from '../closings/closings.repository.ts';
import { ClosingsWorker } from '../closings/closings.worker.ts';
import { LedgerModule } from '../ledger/ledger.module.ts';
import { ReleaseModule } from '../release/release.module.ts';
import { RetentionModule } from '../retention/retention.module.ts';
import { CompletedRequestReader } from './completed-request.reader.ts';
import { ExpirySweep } from './expiry.sweep.ts';
import { AnswersRepository } from './holders/answers.repository.ts';
import { HolderRounds } from './holders/holder.rounds.ts';
import { QuestionsRepository } from './holders/questions.repository.ts';
import { RepliesConsumer } from './holders/replies.consumer.ts';
import { IdempotencyService } from './idempotency.service.ts';
import { OpenRequestRepository } from './open-request.repository.ts';
import { PageTokens } from './page.token.ts';
import { RequestReader } from './request.reader.ts';
import { RequestRepository } from './request.repository.ts';
import { RequestWorker } from './request.worker.ts';
import { RequestsController } from './requests.controller.ts';
import { RequestsService } from './requests.service.ts';
import { CLOSING_STEPS, RequestSteps, STEPS } from './steps/request.steps.ts';
import { StopPolicy } from './stop.policy.ts';
import { TypedTexts } from './typed.texts.ts';

/** A request from its order to its certificate. The order: `requests.service.ts`; then `steps/`, in the order of its list. */
@Module({
  imports: [CertificatesModule, LedgerModule, ReleaseModule, RetentionModule],
  controllers: [RequestsController, ClosingsController],
  providers: [
    RequestsService,
    RequestReader,
    RequestRepository,
    IdempotencyService,
    PageTokens,
    StopPolicy,
    TypedTexts,
    RequestWorker,
    RequestSteps,
    ...STEPS,
    ...CLOSING_STEPS,
    ClosingsRepository,
    ClosingsWorker,
    ExpirySweep,
    OpenRequestRepository,
    CompletedRequestReader,
    HolderRounds,
    QuestionsRepository,
    RepliesConsumer,
    AnswersRepository,
  ],
})
export class RequestsModule {}
