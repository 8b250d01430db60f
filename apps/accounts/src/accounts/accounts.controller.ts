import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { Caller, CONFIG, listOf, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import type { AccountsConfig } from '../config.ts';
import { form } from '../domains/form.ts';
import { limit } from '../limits/limit.ts';
import { closingOrder } from './closing-order.ts';
import type { Account } from './account.entity.ts';
import { AccountsService } from './accounts.service.ts';
import { assertOperator } from './operator.ts';

const STATES = ['active', 'suspended'] as const;
const state = z.enum(STATES, `must be ${STATES.join(' or ')}`);
const page = form({
  limit: z.coerce.number('must be a number').int().min(1).max(1_000).default(100),
  skip: z.coerce.number('must be a number').int().min(0).default(0),
  state: z.enum([...STATES, 'closed'], `must be ${STATES.join(', ')} or closed`).optional(),
});
const change = form({ state: state.optional(), day_limit: limit.optional(), month_limit: limit.optional() });
const accountShape = z.object({
  id: z.uuid(),
  state: z.enum([...STATES, 'closed']),
  parent_id: z.uuid().nullable(),
  day_limit: z.int().nullable(),
  month_limit: z.int().nullable(),
  created_at: z.string(),
});
const oneAccount = z.object({ account: accountShape });
const changedAccount = said.extend(oneAccount.shape);
const madeAccount = changedAccount.extend({ api_key: z.string(), privacy_key: z.string() });
const accountList = listOf(accountShape);
const closedAccount = changedAccount.extend({ request: closingOrder });
const accountId = z.uuid('is no id of an account');

/** The operator's door: whoever runs the platform makes and suspends accounts, and can do nothing inside them. */
@Controller('v1/accounts')
export class AccountsController {
  constructor(
    private readonly accounts: AccountsService,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  /** Answers both keys in clear, this once. */
  @Operation('Create an account, with its first two keys', { answer: madeAccount })
  @Post()
  @HttpCode(200)
  async create(@Caller() caller: Identity): Promise<Answer<typeof madeAccount>> {
    assertOperator(caller);
    const { account, apiKey, privacyKey } = await this.accounts.create();
    return {
      message: 'Account has been created. The keys are shown this once.',
      account: accountItem(account),
      api_key: apiKey.secret,
      privacy_key: privacyKey.secret,
    };
  }

  @Operation('List accounts', { answer: accountList })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Query({ schema: page }) query: z.infer<typeof page>,
  ): Promise<Answer<typeof accountList>> {
    assertOperator(caller, 'operator:read');
    const [accounts, total] = await this.accounts.list(query);
    return { total_count: total, items: accounts.map(accountItem) };
  }

  @Operation('Show an account', { answer: oneAccount })
  @Get(':id')
  async get(
    @Caller() caller: Identity,
    @Param('id', { schema: accountId }) id: string,
  ): Promise<Answer<typeof oneAccount>> {
    assertOperator(caller, 'operator:read');
    return { account: accountItem(await this.accounts.get(id)) };
  }

  @Operation('Suspend an account or let it send again; limit what it sends', { answer: changedAccount })
  @Put(':id')
  async update(
    @Caller() caller: Identity,
    @Param('id', { schema: accountId }) id: string,
    @Body({ schema: change }) body: z.infer<typeof change>,
  ): Promise<Answer<typeof changedAccount>> {
    assertOperator(caller);
    const account = await this.accounts.update(id, {
      ...(body.state === undefined ? {} : { state: body.state }),
      ...(body.day_limit === undefined ? {} : { dayLimit: body.day_limit }),
      ...(body.month_limit === undefined ? {} : { monthLimit: body.month_limit }),
    });
    return { message: `Account is ${account.state}`, account: accountItem(account) };
  }

  @Operation('Close an account: it is erased from every service', {
    answer: closedAccount,
    description:
      'At once it accepts and sends nothing, and its keys are dead. How far the erasure is, is at `request.self`.',
  })
  @Delete(':id')
  @HttpCode(200)
  async close(
    @Caller() caller: Identity,
    @Param('id', { schema: accountId }) id: string,
  ): Promise<Answer<typeof closedAccount>> {
    assertOperator(caller);
    const account = await this.accounts.close(id, 'operator');
    return {
      message: 'Account is closed, and is being erased',
      account: accountItem(account),
      request: { id: account.closingRequest, self: `${this.config.PUBLIC_URL}/v1/accounts/${id}/closing` },
    };
  }
}

const accountItem = ({
  id,
  state,
  parentId,
  dayLimit,
  monthLimit,
  createdAt,
}: Account): z.infer<typeof accountShape> => ({
  id,
  state,
  parent_id: parentId,
  day_limit: dayLimit,
  month_limit: monthLimit,
  created_at: createdAt.toISOString(),
});
