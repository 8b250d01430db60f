import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Refusal } from './exchange-result.ts';

/** Where mail for a domain goes, best first (RFC 5321 §5.1), or why nowhere. */
export type MailHosts = { hosts: string[] } | Refusal;

/** DNS answers that mean "there is no such thing", as opposed to "could not be asked". */
const ABSENT = new Set(['ENOTFOUND', 'ENODATA']);

const NO_DOMAIN: Refusal = { refused: 'permanent', code: 550, enhancedCode: '5.1.2', why: 'no-such-domain' };
/** RFC 7505 §4.1. */
const NULL_MX: Refusal = { refused: 'permanent', code: 556, enhancedCode: '5.1.10', why: 'null-mx' };
const DNS_AWAY: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.3', why: 'dns-unavailable' };

/** Asks the configured DNS servers, or the system's where none are configured. */
export class MxResolver {
  private readonly resolver: Resolver;

  constructor(
    servers: string[],
    timeoutMs: number,
    private readonly ownName: string,
  ) {
    this.resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
    if (servers.length > 0) this.resolver.setServers(servers);
  }

  /** `domain` is ASCII (A-labels). Never throws. */
  async hosts(domain: string): Promise<MailHosts> {
    try {
      const records = await this.resolver.resolveMx(domain);
      const nowhere = records.length === 1 && /^\.?$/.test(records[0]?.exchange ?? '');
      return nowhere ? NULL_MX : this.ordered(records);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'ENODATA') return this.implicit(domain);
      return code === 'ENOTFOUND' ? NO_DOMAIN : DNS_AWAY;
    }
  }

  /** IPv4 and IPv6 addresses of a host; empty if it has none. Throws if DNS does not answer. */
  async addresses(host: string): Promise<string[]> {
    if (isIP(host)) return [host];
    const answers = await Promise.allSettled([this.resolver.resolve4(host), this.resolver.resolve6(host)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const failed = answers.find((answer) => answer.status === 'rejected' && !isAbsent(answer.reason));
    if (found.length === 0 && failed) throw new Error('DNS does not answer for a mail exchanger');
    return found;
  }

  /** No MX record: the domain is its own exchanger, if it has an address (RFC 5321 §5.1). */
  private async implicit(domain: string): Promise<MailHosts> {
    try {
      return (await this.addresses(domain)).length > 0 ? { hosts: [domain] } : NO_DOMAIN;
    } catch {
      return DNS_AWAY;
    }
  }

  private ordered(records: { priority: number; exchange: string }[]): MailHosts {
    // Mail must not come back to us: from our own preference on, nobody is asked (RFC 5321 §5.1).
    const own = records.find(({ exchange }) => exchange.toLowerCase() === this.ownName.toLowerCase());
    const hosts = records
      .filter(({ priority }) => own === undefined || priority < own.priority)
      // Equal preference: any order, to spread the load.
      .map((record) => ({ ...record, chance: Math.random() }))
      .sort((a, b) => a.priority - b.priority || a.chance - b.chance)
      .map(({ exchange }) => exchange);
    return hosts.length > 0 ? { hosts } : NO_DOMAIN;
  }
}

function isAbsent(error: unknown): boolean {
  return ABSENT.has((error as NodeJS.ErrnoException).code ?? '');
}
