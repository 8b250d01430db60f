import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiError, Caller } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { AccountsService } from './accounts.service.ts';

/** The operator's door: whoever runs the platform makes accounts, and can do nothing inside them. */
@Controller('v1/accounts')
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  /** Answers both keys in clear, this once. */
  @Post()
  @HttpCode(200)
  async create(@Caller() caller: Identity): Promise<unknown> {
    if (!caller.scopes.includes('operator')) throw new ApiError(403, 'Only an operator may do that');
    const { account, apiKey, privacyKey } = await this.accounts.create();
    return {
      message: 'Account has been created. The keys are shown this once.',
      account: { id: account.id, state: account.state, created_at: account.createdAt.toISOString() },
      api_key: apiKey.secret,
      privacy_key: privacyKey.secret,
    };
  }
}
