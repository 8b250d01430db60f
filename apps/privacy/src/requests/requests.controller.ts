import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Scope } from '@lethe/contracts';
import { ApiError, Caller, Operation, readIdempotencyKey, type Identity } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { newRequest, type NewRequest, requestFilter, type RequestFilter } from './request.form.ts';
import { RequestReader } from './request.reader.ts';
import { RequestsService } from './requests.service.ts';

/** `/v1/privacy/requests`: erasure (Art. 17 GDPR), ordered by the controller. */
@Controller('v1/privacy/requests')
export class RequestsController {
  constructor(
    private readonly requests: RequestsService,
    private readonly reader: RequestReader,
  ) {}

  @Operation('Order an erasure', { takes: ['application/json'] })
  @Post()
  @HttpCode(202)
  order(
    @Caller() caller: Identity,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: newRequest }) body: NewRequest,
  ): Promise<unknown> {
    requireScope(caller, 'privacy:write');
    return this.requests.order(caller, body, readIdempotencyKey(key));
  }

  @Operation('List requests about people')
  @Get()
  list(@Caller() caller: Identity, @Query({ schema: requestFilter }) filter: RequestFilter): Promise<unknown> {
    requireScope(caller, 'privacy:read');
    return this.reader.list(caller.account, filter);
  }

  @Operation('Show a request')
  @Get(':id')
  show(@Caller() caller: Identity, @Param('id') id: string): Promise<unknown> {
    requireScope(caller, 'privacy:read');
    return this.reader.show(caller.account, id);
  }

  @Operation('Cancel a request that has not begun')
  @Delete(':id')
  cancel(@Caller() caller: Identity, @Param('id') id: string): Promise<unknown> {
    requireScope(caller, 'privacy:write');
    return this.requests.cancel(caller, id);
  }

  /** JSON with the payload beside it, or with `Accept: application/jose` the bare JWS (RFC 7515 §9.2.1). */
  @Operation('The certificate of a completed erasure', { answers: ['application/json', 'application/jose'] })
  @Get(':id/certificate')
  async certificate(
    @Caller() caller: Identity,
    @Param('id') id: string,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    requireScope(caller, 'privacy:read');
    const { certificate } = await this.reader.record(caller.account, id);
    if (certificate === null) throw new ApiError(409, 'The request is not completed: there is no certificate yet');
    void reply.header('vary', 'accept');
    if (accept?.toLowerCase().includes('application/jose')) {
      void reply.header('content-type', 'application/jose');
      return certificate;
    }
    const payload = Buffer.from(certificate.split('.')[1] ?? '', 'base64url').toString('utf8');
    return { certificate, payload: JSON.parse(payload) as unknown };
  }
}

/** The gateway has looked already; who orders is looked at again where the order is taken. */
function requireScope(caller: Identity, scope: Scope): void {
  if (!caller.scopes.includes(scope)) throw new ApiError(403, 'This API key may not do that');
}
