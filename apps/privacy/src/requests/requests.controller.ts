import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Scope } from '@lethe/contracts';
import { ApiError, Caller, Operation, readIdempotencyKey, type Answer, type Identity } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { answerCertificate, certificateAnswer, type CertificateAnswer } from './certificate.answer.ts';
import { newRequest, type NewRequest, requestFilter, type RequestFilter } from './request.form.ts';
import { RequestReader, requestList } from './request.reader.ts';
import { requestShape } from './request.view.ts';
import { orderedRequest, RequestsService } from './requests.service.ts';

/** `/v1/privacy/requests`: erasure (Art. 17 GDPR), ordered by the controller. */
@Controller('v1/privacy/requests')
export class RequestsController {
  constructor(
    private readonly requests: RequestsService,
    private readonly reader: RequestReader,
  ) {}

  @Operation('Order an erasure', { answer: orderedRequest, takes: ['application/json'] })
  @Post()
  @HttpCode(202)
  order(
    @Caller() caller: Identity,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: newRequest }) body: NewRequest,
  ): Promise<Answer<typeof orderedRequest>> {
    requireScope(caller, 'privacy:write');
    return this.requests.order(caller, body, readIdempotencyKey(key));
  }

  @Operation('List requests about people', { answer: requestList })
  @Get()
  list(
    @Caller() caller: Identity,
    @Query({ schema: requestFilter }) filter: RequestFilter,
  ): Promise<Answer<typeof requestList>> {
    requireScope(caller, 'privacy:read');
    return this.reader.list(caller.account, filter);
  }

  @Operation('Show a request', { answer: requestShape })
  @Get(':id')
  show(@Caller() caller: Identity, @Param('id') id: string): Promise<Answer<typeof requestShape>> {
    requireScope(caller, 'privacy:read');
    return this.reader.show(caller.account, id);
  }

  @Operation('Cancel a request that has not begun', { answer: requestShape })
  @Delete(':id')
  cancel(@Caller() caller: Identity, @Param('id') id: string): Promise<Answer<typeof requestShape>> {
    requireScope(caller, 'privacy:write');
    return this.requests.cancel(caller, id);
  }

  @Operation('The certificate of a completed erasure', {
    answer: certificateAnswer,
    answers: ['application/json', 'application/jose'],
  })
  @Get(':id/certificate')
  async certificate(
    @Caller() caller: Identity,
    @Param('id') id: string,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CertificateAnswer> {
    requireScope(caller, 'privacy:read');
    return answerCertificate(await this.reader.record(caller.account, id), accept, reply);
  }
}

/** The gateway has looked already; who orders is looked at again where the order is taken. */
function requireScope(caller: Identity, scope: Scope): void {
  if (!caller.scopes.includes(scope)) throw new ApiError(403, 'This API key may not do that');
}
