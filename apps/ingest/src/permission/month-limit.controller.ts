import { Controller, Get, Param } from '@nestjs/common';
import { ApiError, Caller, Operation, type Identity } from '@lethe/service';
import { SendingDomains } from '../settings/sending.domains.ts';
import { SentCountRepository } from './sent-count.repository.ts';

/** Mailgun's custom limit (mailgun-api §12): who counts shows it. */
@Controller('v5/accounts')
export class MonthLimitController {
  constructor(
    private readonly domains: SendingDomains,
    private readonly counts: SentCountRepository,
  ) {}

  @Operation('Show the limit of a month, and what was sent of it')
  @Get('limit/custom/monthly')
  show(@Caller() caller: Identity): Promise<unknown> {
    return this.shown(caller.account);
  }

  @Operation('Show the limit of a subaccount, and what was sent of it')
  @Get('subaccounts/:id/limit/custom/monthly')
  async showOf(@Caller() caller: Identity, @Param('id') id: string): Promise<unknown> {
    if (this.domains.account(id)?.parentId !== caller.account) throw new ApiError(404, 'Subaccount not found');
    return this.shown(id);
  }

  private async shown(accountId: string): Promise<unknown> {
    const limit = this.domains.account(accountId)?.quota?.month;
    if (limit === undefined) throw new ApiError(404, 'No monthly limit is set');
    return { limit, current: (await this.counts.read(accountId)).month, period: '1m' };
  }
}
