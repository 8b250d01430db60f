import { Injectable } from '@nestjs/common';
import {
  ACCOUNT_SETTINGS,
  DOMAIN_SETTINGS,
  SUPPRESSION_ENTRIES,
  type AccountSettings,
  type DomainSettings,
  type SuppressionEntry,
} from '@lethe/contracts';
import { InjectTable, type LocalTable } from '@lethe/kafka';
import { ApiError, type Identity } from '@lethe/service';
import { HoldsTable } from '../holding/holds.table.ts';

/** What other services say about who may send and who may not be mailed. */
@Injectable()
export class SettingsService {
  constructor(
    @InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>,
    @InjectTable(ACCOUNT_SETTINGS) private readonly accounts: LocalTable<typeof ACCOUNT_SETTINGS>,
    @InjectTable(SUPPRESSION_ENTRIES) private readonly suppressions: LocalTable<typeof SUPPRESSION_ENTRIES>,
    private readonly holds: HoldsTable,
  ) {}

  /** Whether what is not in the tables is not there, nor a pause that nobody here knows of. Otherwise nothing may be sent (design §3). */
  fresh(): boolean {
    return this.holds.fresh() && this.suppressions.fresh && this.domains.fresh && this.accounts.fresh;
  }

  /** @throws ApiError 503 while unsure. */
  assertFresh(): void {
    if (this.fresh()) return;
    throw new ApiError(503, 'settings are not up to date: try again', { retryAfterSeconds: 2 });
  }

  /**
   * The domain of the path as the gateway found it.
   * @throws ApiError 404 for a domain that is not the account's, 503 while unsure.
   */
  ownDomain(caller: Pick<Identity, 'account' | 'domain'>): DomainSettings {
    this.assertFresh();
    const domain = caller.domain === undefined ? undefined : this.domain(caller.domain);
    if (domain?.accountId !== caller.account) throw new ApiError(404, 'Domain not found');
    return domain;
  }

  domain(domainId: string): DomainSettings | undefined {
    return this.domains.get(domainId);
  }

  account(accountId: string): AccountSettings | undefined {
    return this.accounts.get(accountId);
  }

  /** `key`: `suppressionKey(…)`. */
  suppression(key: string): SuppressionEntry | undefined {
    return this.suppressions.get(key);
  }
}
