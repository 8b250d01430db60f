import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6 } from 'node:net';
import { Log } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';
import type { Refusal } from './exchange-result.ts';
import { MxResolver } from './mx.resolver.ts';

export interface Exchanger {
  host: string;
  address: string;
  port: number;
}
/** Exchangers to be asked, in order; or why there are none. */
export type Route = { exchangers: Exchanger[] } | Refusal;

interface Cached {
  route: Promise<Route>;
  until: number;
}

/** RFC 5321 §5.1 asks for at least two addresses to be tried; the bound keeps one attempt short. */
const MAX_EXCHANGERS = 5;
const TEMPORARY_CACHE_MS = 5_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
const isLoopback = (address: string): boolean => LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

const NO_ADDRESS: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.4', why: 'no-address' };
const DNS_AWAY: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.3', why: 'dns-unavailable' };
const NOT_LOOPBACK: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.0', why: 'not-loopback' };

/**
 * Finds the exchangers of a domain: by MX records, or the one host all mail is routed to. Nothing leaves loopback unless
 * the operator allowed it. Answers are kept for a while, a bounded number of them.
 */
export class RouteService {
  private readonly cache = new Map<string, Cached>();
  private readonly fixed: { host: string; port: number } | undefined;
  private warned = false;

  constructor(
    private readonly config: Pick<
      DeliveryConfig,
      'OUTBOUND_ROUTE' | 'OUTBOUND_ALLOW' | 'SMTP_PORT' | 'MX_CACHE_MS' | 'MX_CACHE_ENTRIES'
    >,
    private readonly resolver: MxResolver,
    private readonly log: Log,
  ) {
    if (config.OUTBOUND_ROUTE !== 'mx') {
      const { hostname, port } = new URL(config.OUTBOUND_ROUTE);
      this.fixed = { host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || 25) };
    }
  }

  /** `domain` is ASCII. Never throws. */
  find(domain: string): Promise<Route> {
    const key = this.fixed ? '' : domain;
    const known = this.cache.get(key);
    if (known && Date.now() < known.until) return known.route;
    const cached: Cached = { route: this.look(domain), until: Date.now() + this.config.MX_CACHE_MS };
    // In order of entry: the oldest goes, which is also the one that ends first.
    this.cache.delete(key);
    this.cache.set(key, cached);
    if (this.cache.size > this.config.MX_CACHE_ENTRIES) this.cache.delete(this.cache.keys().next().value as string);
    void cached.route.then((route) => {
      if ('refused' in route && route.refused === 'temporary') {
        cached.until = Math.min(cached.until, Date.now() + TEMPORARY_CACHE_MS);
      }
    });
    return cached.route;
  }

  private async look(domain: string): Promise<Route> {
    const found = this.fixed ? await this.fixedExchangers(this.fixed) : await this.byMx(domain);
    if (!Array.isArray(found)) return found;
    if (found.length === 0) return NO_ADDRESS;
    if (this.config.OUTBOUND_ALLOW === 'any') return { exchangers: found.slice(0, MAX_EXCHANGERS) };
    const near = found.filter(({ address }) => isLoopback(address));
    if (near.length < found.length && !this.warned) {
      this.warned = true;
      this.log.warn('route.not-loopback', { variable: 'OUTBOUND_ALLOW' });
    }
    return near.length > 0 ? { exchangers: near.slice(0, MAX_EXCHANGERS) } : NOT_LOOPBACK;
  }

  private async byMx(domain: string): Promise<Exchanger[] | Refusal> {
    const answer = await this.resolver.hosts(domain);
    if ('refused' in answer) return answer;
    const exchangers: Exchanger[] = [];
    let failed = false;
    for (const host of answer.hosts.slice(0, MAX_EXCHANGERS)) {
      try {
        for (const address of await this.resolver.addresses(host)) {
          exchangers.push({ host, address, port: this.config.SMTP_PORT });
        }
      } catch {
        failed = true;
      }
    }
    return exchangers.length === 0 && failed ? DNS_AWAY : exchangers;
  }

  private async fixedExchangers({ host, port }: { host: string; port: number }): Promise<Exchanger[] | Refusal> {
    try {
      return (await lookup(host, { all: true })).map(({ address }) => ({ host, address, port }));
    } catch {
      return DNS_AWAY;
    }
  }
}
