import { isIP } from 'node:net';
import type { Refusal } from '../exchange/exchange-result.ts';
import type { DnsClient } from './dns.client.ts';

/** Where mail for a domain goes, best first (RFC 5321 §5.1), or why nowhere. */
export type MailHosts =
  | {
      hosts: string[];
      /** Whether DNSSEC vouches for the list. */
      secure: boolean;
    }
  | Refusal;

export interface HostAddresses {
  addresses: string[];
  /** Where aliases (CNAME) of the host lead. */
  owner: string;
  /** Whether DNSSEC vouches for all of it. */
  secure: boolean;
}

const NO_DOMAIN: Refusal = { refused: 'permanent', code: 550, enhancedCode: '5.1.2', why: 'no-such-domain' };
/** RFC 7505 §4.1. */
const NULL_MX: Refusal = { refused: 'permanent', code: 556, enhancedCode: '5.1.10', why: 'null-mx' };
const DNS_AWAY: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.3', why: 'dns-unavailable' };

/** What a host is called (RFC 1123 §2.1); more than one with an underscore takes mail. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i;

/** Finds the exchangers of domains, and their addresses. */
export class MxResolver {
  constructor(
    private readonly dns: DnsClient,
    private readonly ownName: string,
  ) {}

  /** `domain` is ASCII (A-labels). Never throws. */
  async hosts(domain: string): Promise<MailHosts> {
    if (!HOST_NAME.test(domain)) return NO_DOMAIN;
    try {
      const { exists, data, secure } = await this.dns.ask(domain, 'MX');
      if (!exists) return NO_DOMAIN;
      if (data.length === 0) return await this.implicit(domain, secure);
      const nowhere = data.length === 1 && /^\.?$/.test(data[0]?.exchange ?? '');
      if (nowhere) return NULL_MX;
      const hosts = this.ordered(data);
      return hosts.length > 0 ? { hosts, secure } : NO_DOMAIN;
    } catch {
      return DNS_AWAY;
    }
  }

  /** IPv4 and IPv6 addresses of a host; none if it has none. Throws if DNS does not answer. */
  async addresses(host: string): Promise<HostAddresses> {
    // An address is no name (RFC 5321 §5.1): who has one for an exchanger has none.
    if (isIP(host) !== 0 || !HOST_NAME.test(host)) return { addresses: [], owner: host, secure: false };
    const answers = await Promise.allSettled([this.dns.ask(host, 'A'), this.dns.ask(host, 'AAAA')]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const addresses = found.flatMap(({ data }) => data);
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (addresses.length === 0 && failed) throw failed.reason;
    return {
      addresses,
      owner: found[0]?.owner ?? host,
      secure: found.every(({ secure }) => secure),
    };
  }

  /** No MX record: the domain is its own exchanger, if it has an address (RFC 5321 §5.1). */
  private async implicit(domain: string, secure: boolean): Promise<MailHosts> {
    const { addresses } = await this.addresses(domain);
    return addresses.length > 0 ? { hosts: [domain], secure } : NO_DOMAIN;
  }

  private ordered(records: { preference: number; exchange: string }[]): string[] {
    const preferred = records.map(({ preference, exchange }) => ({ preference, exchange: exchange.toLowerCase() }));
    // Mail must not come back to us: from our own preference on, nobody is asked (RFC 5321 §5.1).
    const own = preferred.find(({ exchange }) => exchange === this.ownName.toLowerCase());
    return (
      preferred
        .filter(({ preference }) => own === undefined || preference < own.preference)
        // Equal preference: any order, to spread the load.
        .map((record) => ({ ...record, chance: Math.random() }))
        .sort((a, b) => a.preference - b.preference || a.chance - b.chance)
        .map(({ exchange }) => exchange)
    );
  }
}
