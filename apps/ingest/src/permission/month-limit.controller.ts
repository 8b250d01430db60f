import { Controller, Get, Param } from '@nestjs/common';
import { ApiError, Caller, Operation, type Answer, type Identity } from '@lethe/service';
import { z } from 'zod';
import { SendingDomains } from '../settings/sending.domains.ts';
import { SentCountRepository } from './sent-count.repository.ts';

const monthLimit = z.object({ limit: z.int(), current: z.int(), period: z.literal('1m') });

/** Mailgun's custom limit (mailgun-api §12): who counts shows it. */
@Controller('v5/accounts')
export class MonthLimitController {
  constructor(
    private readonly domains: SendingDomains,
    private readonly counts: SentCountRepository,
  ) {}

  @Operation('Show the limit of a month, and what was sent of it', { answer: monthLimit })
  @Get('limit/custom/monthly')
  show(@Caller() caller: Identity): Promise<Answer<typeof monthLimit>> {
    return this.shown(caller.account);
  }

  @Operation('Show the limit of a subaccount, and what was sent of it', { answer: monthLimit })
  @Get('subaccounts/:id/limit/custom/monthly')
  async showOf(@Caller() caller: Identity, @Param('id') id: string): Promise<Answer<typeof monthLimit>> {
    if (this.domains.account(id)?.parentId !== caller.account) throw new ApiError(404, 'Subaccount not found');
    return this.shown(id);
  }

  private async shown(accountId: string): Promise<Answer<typeof monthLimit>> {
    const limit = this.domains.account(accountId)?.quota?.month;
    if (limit === undefined) throw new ApiError(404, 'No monthly limit is set');
    return { limit, current: (await this.counts.read(accountId)).month, period: '1m' };
  }
}
