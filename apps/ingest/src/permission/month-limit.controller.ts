import { Controller, Get } from '@nestjs/common';
import { ApiError, Caller, Operation, type Identity } from '@lethe/service';
import { SendingDomains } from '../settings/sending.domains.ts';
import { SentCountRepository } from './sent-count.repository.ts';

/** Mailgun's custom limit (mailgun-api §12): who counts shows it. */
@Controller('v5/accounts/limit/custom/monthly')
export class MonthLimitController {
  constructor(
    private readonly domains: SendingDomains,
    private readonly counts: SentCountRepository,
  ) {}

  @Operation('Show the limit of a month, and what was sent of it')
  @Get()
  async show(@Caller() caller: Identity): Promise<unknown> {
    const limit = this.domains.account(caller.account)?.quota?.month;
    if (limit === undefined) throw new ApiError(404, 'No monthly limit is set');
    return { limit, current: (await this.counts.read(caller.account)).month, period: '1m' };
  }
}
