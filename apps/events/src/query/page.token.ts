import { Injectable } from '@nestjs/common';
import { ApiError } from '@lethe/service';
import { ForgottenError, SealError, Vault } from '@lethe/vault';
import type { EventQuery } from './event.query.ts';

/** Where a page starts: strictly after `[at, id]` in the query's order, or, going back, strictly before. */
export interface Page {
  readonly query: EventQuery;
  readonly cursor: readonly [at: number, id: string] | null;
  readonly backwards: boolean;
}

const TYPE = 'events-page';

/**
 * A page's token carries its whole query, so it needs no state here and no query string beside it. The query can name
 * people: the token is sealed under the account's key, as everything that leaves a store is. One path segment, URL-safe.
 */
@Injectable()
export class PageTokens {
  constructor(private readonly vault: Vault) {}

  write(account: string, domain: string, page: Page): Promise<string> {
    return this.vault.sealForAccount({ account, period: 'standing', type: TYPE, recordId: domain }, page);
  }

  /** @throws ApiError 400 for what is no token of this domain. */
  async read(account: string, domain: string, token: string): Promise<Page> {
    try {
      return await this.vault.openForAccount<Page>(token, { account, type: TYPE, recordId: domain });
    } catch (error) {
      if (error instanceof SealError || error instanceof ForgottenError) {
        throw new ApiError(400, 'this is not a page of the events of this domain: follow the links of a page', {
          field: 'page',
        });
      }
      throw error;
    }
  }
}
