import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS, type EventsDays } from '@lethe/contracts';
import { InjectTable, LocalTable } from '@lethe/kafka';
import { ApiError, Clock } from '@lethe/service';
import { Injectable } from '@nestjs/common';

const DAY = 86_400_000;
/** What no event is kept for longer than, whatever anybody says; its index goes by itself. */
const LONGEST = 30 satisfies EventsDays;

/** Where events are kept for less than that, and for how many days. */
export interface Shortened {
  readonly domains: ReadonlyMap<string, number>;
  /** For what is left of domains that are gone: days, and the domains there are, which speak for themselves. */
  readonly accounts: ReadonlyMap<string, { readonly days: number; readonly domains: readonly string[] }>;
}

/**
 * How long events are kept as their domain has it now, from the tables of `accounts`; of a domain that is gone, as its account has it.
 * An event was stamped with the class of its day, and its index goes by that; a retention that was shortened since is one for what is
 * there already, too (design §7).
 */
@Injectable()
export class EventLimits {
  constructor(
    @InjectTable(ACCOUNT_SETTINGS) private readonly accounts: LocalTable<typeof ACCOUNT_SETTINGS>,
    @InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>,
    private readonly clock: Clock,
  ) {}

  /**
   * From when on events of the domain may be seen (epoch ms).
   * @throws ApiError 503 while unsure.
   */
  since(accountId: string, domainId: string): number {
    if (!this.fresh) throw new ApiError(503, 'settings are not up to date: try again', { retryAfterSeconds: 2 });
    return this.begin(accountId, domainId);
  }

  /** Whether an event is older than it may be. While unsure it is not: what is indexed is hidden, and goes with the next round. */
  isPast({ accountId, domainId, at }: { accountId: string; domainId: string; at: number }): boolean {
    return this.fresh && at <= this.begin(accountId, domainId);
  }

  /** Undefined while unsure. */
  shortened(): Shortened | undefined {
    if (!this.fresh) return undefined;
    const all = [...this.domains.values()];
    const short = all.filter(({ eventsDays }) => eventsDays < LONGEST);
    const byAccount = Map.groupBy(all, ({ accountId }) => accountId);
    const accounts = [...this.accounts.values()].flatMap(({ accountId, retention }) => {
      const days = retention?.eventsDays ?? LONGEST;
      const domains = (byAccount.get(accountId) ?? []).map(({ domainId }) => domainId);
      return days < LONGEST ? [[accountId, { days, domains }] as const] : [];
    });
    return {
      domains: new Map(short.map(({ domainId, eventsDays }) => [domainId, eventsDays])),
      accounts: new Map(accounts),
    };
  }

  private begin(accountId: string, domainId: string): number {
    const own = this.domains.get(domainId)?.eventsDays;
    const days = own ?? this.accounts.get(accountId)?.retention?.eventsDays ?? LONGEST;
    return this.clock.now() - days * DAY;
  }

  private get fresh(): boolean {
    return this.accounts.fresh && this.domains.fresh;
  }
}
