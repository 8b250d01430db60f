import { Injectable } from '@nestjs/common';
import {
  ACCOUNT_SETTINGS,
  DOMAIN_SETTINGS,
  maySend,
  RETENTION,
  type AccountSettings,
  type DomainSettings,
} from '@lethe/contracts';
import { InjectTable, LocalTable, type TableIndex } from '@lethe/kafka';
import { ApiError, type Identity } from '@lethe/service';

const DAY = 86_400_000;

/** Days by id, of domains and accounts that keep bodies for less, or longer, than a week. */
export interface BodiesDays {
  readonly domains: ReadonlyMap<string, number>;
  readonly accounts: ReadonlyMap<string, number>;
}

const WEEK_DAYS = RETENTION.body.limitMs / DAY;

/** Who may send from where, from the tables of `accounts`. Fails closed: a stale table is a 503. */
@Injectable()
export class SendingDomains {
  private readonly byName: TableIndex<typeof DOMAIN_SETTINGS>;

  constructor(
    @InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>,
    @InjectTable(ACCOUNT_SETTINGS) private readonly accounts: LocalTable<typeof ACCOUNT_SETTINGS>,
  ) {
    this.byName = domains.index(({ name }) => [name]);
  }

  /**
   * Whoever's it is, by its name in A-labels: for a login, which says no more than that.
   * @throws ApiError 503 while unsure.
   */
  named(name: string): DomainSettings | undefined {
    this.assertFresh();
    return this.byName.get(name);
  }

  /** @throws ApiError 503 while unsure. */
  account(accountId: string): AccountSettings | undefined {
    this.assertFresh();
    return this.accounts.get(accountId);
  }

  /**
   * A domain of the account by its name in A-labels; another account's answers as an unknown one.
   * @throws ApiError 503 while unsure.
   */
  ofAccount(accountId: string, name: string): DomainSettings | undefined {
    const domain = this.named(name);
    return domain?.accountId === accountId ? domain : undefined;
  }

  /** Whether there is such a domain; undefined while unsure. */
  has(domainId: string): boolean | undefined {
    return this.domains.fresh ? this.domains.get(domainId) !== undefined : undefined;
  }

  /**
   * Where bodies are kept for less than all of a week: of domains, and of accounts for what is left of domains that are gone. A domain
   * that keeps them for longer than its account is there, too. Undefined while unsure.
   */
  shortened(): BodiesDays | undefined {
    return this.daysWhere((days) => days < WEEK_DAYS);
  }

  /** The same where an instruction has bodies kept for longer. */
  lengthened(): BodiesDays | undefined {
    return this.daysWhere((days) => days > WEEK_DAYS);
  }

  /** Whom what a message sends counts for, by id. Asked of messages that were admitted already. */
  counted({ accountId, domainId }: DomainSettings): string[] {
    const parentId = this.accounts.get(accountId)?.parentId;
    return [domainId, accountId, ...(parentId === undefined ? [] : [parentId])];
  }

  /**
   * The domain of the path as the gateway found it, or that of a login; whether or not it may send.
   * @throws ApiError 404 for a domain that is not the account's, 503 while unsure.
   */
  owned(caller: Pick<Identity, 'account' | 'domain'>): DomainSettings {
    this.assertFresh();
    const domain = caller.domain === undefined ? undefined : this.domains.get(caller.domain);
    if (!domain || domain.accountId !== caller.account) throw new ApiError(404, 'Domain not found');
    return domain;
  }

  /**
   * The same, for sending.
   * @throws ApiError 403 for one that may not send, besides.
   */
  of(caller: Pick<Identity, 'account' | 'domain'>): DomainSettings {
    const domain = this.owned(caller);
    if (this.accounts.get(domain.accountId)?.closing) throw new ApiError(403, 'The account is closed');
    if (!maySend(this.accounts.get(domain.accountId), (id) => this.accounts.get(id)))
      throw new ApiError(
        403,
        'The account is suspended: no mail is accepted until whoever runs the platform lifts that',
      );
    if (domain.state === 'unverified')
      throw new ApiError(403, 'The domain is not verified: publish its DNS records, then verify it');
    if (domain.state !== 'active') throw new ApiError(403, 'The domain is disabled');
    return domain;
  }

  private daysWhere(isMeant: (bodiesDays: number) => boolean): BodiesDays | undefined {
    if (!this.domains.fresh || !this.accounts.fresh) return undefined;
    const accounts = new Map(
      [...this.accounts.values()].flatMap(({ accountId, retention }) =>
        retention && isMeant(retention.bodiesDays) ? [[accountId, retention.bodiesDays]] : [],
      ),
    );
    const domains = new Map(
      [...this.domains.values()]
        .filter(({ accountId, bodiesDays }) => isMeant(bodiesDays) || accounts.has(accountId))
        .map(({ domainId, bodiesDays }) => [domainId, bodiesDays]),
    );
    return { accounts, domains };
  }

  private assertFresh(): void {
    if (this.domains.fresh && this.accounts.fresh) return;
    throw new ApiError(503, 'settings are not up to date: try again', { retryAfterSeconds: 2 });
  }
}
