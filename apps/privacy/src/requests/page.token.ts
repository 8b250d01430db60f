import { Injectable } from '@nestjs/common';
import { ApiError } from '@lethe/service';
import { ForgottenError, SealError, Vault } from '@lethe/vault';
import type { RequestType, State } from './request.ts';

/** What a page of requests is about, and where it starts: strictly after `cursor` (newest first), or, going back, before it. */
export interface Page {
  readonly filter: {
    readonly state?: State | undefined;
    readonly type?: RequestType | undefined;
    /** Epoch ms. */
    readonly dueBefore?: number | undefined;
    /** Keyed hash, base64url: what was typed is not in a link. */
    readonly reference?: string | undefined;
    readonly limit: number;
  };
  readonly cursor: string | null;
  readonly backwards: boolean;
}

const TYPE = 'requests-page';
const RECORD = 'requests';

/** A page's token carries its whole query; sealed for the account, so nobody else's works. */
@Injectable()
export class PageTokens {
  constructor(private readonly vault: Vault) {}

  write(account: string, page: Page): Promise<string> {
    return this.vault.sealForAccount({ account, period: 'standing', type: TYPE, recordId: RECORD }, page);
  }

  /** @throws ApiError 400 for what is no token of this account. */
  async read(account: string, token: string): Promise<Page> {
    try {
      return await this.vault.openForAccount<Page>(token, { account, type: TYPE, recordId: RECORD });
    } catch (error) {
      if (error instanceof SealError || error instanceof ForgottenError) {
        throw new ApiError(400, 'page: is not a page of your requests; follow the links of a page', { field: 'page' });
      }
      throw error;
    }
  }
}
