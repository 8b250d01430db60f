import { Body, Controller, Delete, HttpCode, Put, Query } from '@nestjs/common';
import { ApiError, Caller, Operation } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { AccountsService } from '../accounts/accounts.service.ts';
import { form } from '../domains/form.ts';
import { limit, limitSet } from './limit.ts';

const wanted = form({ limit: limit.optional() });

/** Mailgun's custom limit of an account (mailgun-api §12): its own, below what the operator allows. Ingest counts, and shows it. */
@Controller('v5/accounts/limit/custom/monthly')
export class MonthLimitController {
  constructor(private readonly accounts: AccountsService) {}

  /** Mailgun's clients put it into the query. */
  @Operation('Limit what the account sends in a month', { answer: limitSet })
  @Put()
  async set(
    @Caller() caller: Identity,
    @Query({ schema: wanted }) query: z.infer<typeof wanted>,
    @Body({ schema: wanted }) body: z.infer<typeof wanted>,
  ): Promise<Answer<typeof limitSet>> {
    const ownMonthLimit = query.limit ?? body.limit;
    if (typeof ownMonthLimit !== 'number') throw new ApiError(400, 'limit: is missing', { field: 'limit' });
    await this.accounts.setOwnMonthLimit(caller.account, ownMonthLimit);
    return { success: true, message: 'The monthly limit is set' };
  }

  @Operation('Take that limit away', { answer: limitSet })
  @Delete()
  @HttpCode(200)
  async remove(@Caller() caller: Identity): Promise<Answer<typeof limitSet>> {
    await this.accounts.setOwnMonthLimit(caller.account, null);
    return { success: true, message: 'The monthly limit is removed' };
  }
}
