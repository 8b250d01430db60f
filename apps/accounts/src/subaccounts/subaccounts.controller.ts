import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiError, Caller, CONFIG, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { closingOrder } from '../accounts/closing-order.ts';
import type { AccountsConfig } from '../config.ts';
import { form, yesNo } from '../domains/form.ts';
import { limit, limitSet } from '../limits/limit.ts';
import { SubaccountsService, type Subaccount } from './subaccounts.service.ts';

const page = form({
  limit: z.coerce.number('must be a number').int().min(1).max(1_000).default(10),
  skip: z.coerce.number('must be a number').int().min(0).default(0),
  enabled: yesNo.optional(),
});
const newSubaccount = form({ name: z.string('is one text').max(256, 'has up to 256 characters').optional() });
const wantedLimit = form({ limit: limit.optional() });
const subaccountId = z.uuid('is no id of a subaccount');

const subaccountShape = z.object({
  id: z.uuid(),
  name: z.string(),
  status: z.enum(['open', 'disabled', 'closed']),
  created_at: z.string(),
  updated_at: z.string(),
  features: z.object({}),
});
const subaccountList = z.object({ subaccounts: z.array(subaccountShape), total: z.int() });
const oneSubaccount = z.object({ subaccount: subaccountShape });
const madeSubaccount = said.extend(oneSubaccount.shape);
const closedSubaccount = said.extend({ request: closingOrder });

/** Mailgun's subaccounts (mailgun-api §12). Its clients put fields into the query or a form. */
@Controller('v5/accounts/subaccounts')
export class SubaccountsController {
  constructor(
    private readonly subaccounts: SubaccountsService,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  @Operation('List subaccounts', { answer: subaccountList })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Query({ schema: page }) query: z.infer<typeof page>,
  ): Promise<Answer<typeof subaccountList>> {
    const [subaccounts, total] = await this.subaccounts.list(caller, query);
    return { subaccounts: subaccounts.map(item), total };
  }

  @Operation('Create a subaccount', { answer: madeSubaccount })
  @Post()
  @HttpCode(200)
  async create(
    @Caller() caller: Identity,
    @Body({ schema: newSubaccount }) body: z.infer<typeof newSubaccount>,
    @Query({ schema: newSubaccount }) query: z.infer<typeof newSubaccount>,
  ): Promise<Answer<typeof madeSubaccount>> {
    const name = body.name ?? query.name;
    if (name === undefined) throw new ApiError(400, 'name: is missing', { field: 'name' });
    return { message: 'Subaccount has been created', subaccount: item(await this.subaccounts.create(caller, name)) };
  }

  @Operation('Close the subaccount that X-Mailgun-On-Behalf-Of names: it is erased from every service', {
    answer: closedSubaccount,
    description: 'How far the erasure is, is at `request.self`, for a key of the parent with `privacy:read`.',
  })
  @Delete()
  @HttpCode(200)
  async close(@Caller() caller: Identity): Promise<Answer<typeof closedSubaccount>> {
    const { closingRequest: id } = await this.subaccounts.close(caller);
    return {
      message: 'Subaccount successfully deleted',
      request: { id, self: `${this.config.PUBLIC_URL}/v1/privacy/requests/${id}` },
    };
  }

  @Operation('Show a subaccount', { answer: oneSubaccount })
  @Get(':id')
  async get(
    @Caller() caller: Identity,
    @Param('id', { schema: subaccountId }) id: string,
  ): Promise<Answer<typeof oneSubaccount>> {
    return { subaccount: item(await this.subaccounts.get(caller, id)) };
  }

  @Operation('Let a subaccount send', { answer: oneSubaccount })
  @Post(':id/enable')
  @HttpCode(200)
  async enable(
    @Caller() caller: Identity,
    @Param('id', { schema: subaccountId }) id: string,
  ): Promise<Answer<typeof oneSubaccount>> {
    return { subaccount: item(await this.subaccounts.setDisabled(caller, id, false)) };
  }

  @Operation('Let a subaccount accept and send nothing', { answer: oneSubaccount })
  @Post(':id/disable')
  @HttpCode(200)
  async disable(
    @Caller() caller: Identity,
    @Param('id', { schema: subaccountId }) id: string,
  ): Promise<Answer<typeof oneSubaccount>> {
    return { subaccount: item(await this.subaccounts.setDisabled(caller, id, true)) };
  }

  @Operation('Limit what a subaccount sends in a month', { answer: limitSet })
  @Put(':id/limit/custom/monthly')
  async setLimit(
    @Caller() caller: Identity,
    @Param('id', { schema: subaccountId }) id: string,
    @Query({ schema: wantedLimit }) query: z.infer<typeof wantedLimit>,
    @Body({ schema: wantedLimit }) body: z.infer<typeof wantedLimit>,
  ): Promise<Answer<typeof limitSet>> {
    const wanted = query.limit ?? body.limit;
    if (typeof wanted !== 'number') throw new ApiError(400, 'limit: is missing', { field: 'limit' });
    await this.subaccounts.setMonthLimit(caller, id, wanted);
    return { success: true, message: 'The monthly limit is set' };
  }

  @Operation('Take that limit away', { answer: limitSet })
  @Delete(':id/limit/custom/monthly')
  @HttpCode(200)
  async removeLimit(
    @Caller() caller: Identity,
    @Param('id', { schema: subaccountId }) id: string,
  ): Promise<Answer<typeof limitSet>> {
    await this.subaccounts.setMonthLimit(caller, id, null);
    return { success: true, message: 'The monthly limit is removed' };
  }
}

const item = ({ account, name }: Subaccount): z.infer<typeof subaccountShape> => {
  const createdAt = account.createdAt.toUTCString();
  const status = account.state === 'active' && !account.disabled ? 'open' : 'disabled';
  return {
    id: account.id,
    name,
    status: account.state === 'closed' ? 'closed' : status,
    created_at: createdAt,
    updated_at: createdAt,
    features: {},
  };
};
