import { Injectable } from '@nestjs/common';
import { DOMAIN_SETTINGS, type DomainSettings } from '@lethe/contracts';
import { InjectTable, LocalTable, type TableIndex } from '@lethe/kafka';
import { ApiError, type Identity } from '@lethe/service';

/** Which domain a name is, for its account alone: another account's answers exactly as an unknown one. */
@Injectable()
export class DomainsTable {
  private readonly byName: TableIndex<typeof DOMAIN_SETTINGS>;

  constructor(@InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>) {
    this.byName = domains.index(({ name }) => [name]);
  }

  /** As it was last heard of. */
  find(domainId: string): DomainSettings | undefined {
    return this.domains.get(domainId);
  }

  /** Whether there is such a domain; undefined while unsure. */
  has(domainId: string): boolean | undefined {
    return this.domains.fresh ? this.domains.get(domainId) !== undefined : undefined;
  }

  /** @throws ApiError 404, or 503 while the table is not up to date. */
  idOf(name: string, caller: Identity): string {
    if (!this.domains.fresh)
      throw new ApiError(503, 'settings are not up to date: try again', { retryAfterSeconds: 2 });
    const domain = this.byName.get(name.toLowerCase());
    if (!domain || domain.accountId !== caller.account) throw new ApiError(404, 'Domain not found');
    return domain.domainId;
  }
}
