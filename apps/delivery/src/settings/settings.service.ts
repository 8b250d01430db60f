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

/** What other services say about who may send and who may not be mailed. */
@Injectable()
export class SettingsService {
  constructor(
    @InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>,
    @InjectTable(ACCOUNT_SETTINGS) private readonly accounts: LocalTable<typeof ACCOUNT_SETTINGS>,
    @InjectTable(SUPPRESSION_ENTRIES) private readonly suppressions: LocalTable<typeof SUPPRESSION_ENTRIES>,
  ) {}

  /** Whether what is not in the tables is not there. Otherwise nothing may be sent (design §3). */
  fresh(): boolean {
    return this.suppressions.fresh && this.domains.fresh && this.accounts.fresh;
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
