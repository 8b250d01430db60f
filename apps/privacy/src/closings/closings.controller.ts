import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiError, Caller, Operation, type Answer, type Identity } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { answerCertificate, certificateAnswer, type CertificateAnswer } from '../requests/certificate.answer.ts';
import { RequestReader } from '../requests/request.reader.ts';
import { requestShape } from '../requests/request.view.ts';
import { ClosingsRepository } from './closings.repository.ts';

const accountId = z.uuid('is no id of an account');

/** The operator's view of how a closed account is erased; its parent has that of any request. */
@Controller('v1/accounts/:id/closing')
export class ClosingsController {
  constructor(
    private readonly closings: ClosingsRepository,
    private readonly reader: RequestReader,
  ) {}

  @Operation('Show how far the erasure of a closed account is', { answer: requestShape })
  @Get()
  async show(
    @Caller() caller: Identity,
    @Param('id', { schema: accountId }) id: string,
  ): Promise<Answer<typeof requestShape>> {
    return this.reader.show(id, await this.requestOf(caller, id));
  }

  @Operation('The certificate of an account that was erased', {
    answer: certificateAnswer,
    answers: ['application/json', 'application/jose'],
  })
  @Get('certificate')
  async certificate(
    @Caller() caller: Identity,
    @Param('id', { schema: accountId }) id: string,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CertificateAnswer> {
    return answerCertificate(await this.reader.record(id, await this.requestOf(caller, id)), accept, reply);
  }

  private async requestOf(caller: Identity, account: string): Promise<string> {
    if (!caller.scopes.includes('operator:read')) throw new ApiError(403, 'Only an operator may do that');
    const request = await this.closings.of(account);
    if (request === undefined) throw new ApiError(404, 'No account of this id was closed');
    return request;
  }
}
