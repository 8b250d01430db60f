import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Log } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';
import type { Dane, DaneResolver } from '../dane/dane.resolver.ts';
import type { MxResolver } from '../dns/mx.resolver.ts';
import type { Login } from '../smtp/smtp-options.ts';
import type { StsService } from '../sts/sts.service.ts';
import { allowedAddress } from '../dns/address.guard.ts';
import type { Refusal } from './exchange-result.ts';
import type { StaticRoute, StaticRoutes } from './static.routes.ts';
import { countTls } from './tls.metrics.ts';
import { hostDemand, routeDemand, type HostDemand } from './tls.policy.ts';

export interface Exchanger {
  host: string;
  address: string;
  port: number;
  /** How a session with it has to be secured. */
  demand: HostDemand;
  /** Who we say we are, once that is done. */
  login?: Login;
  /** A host of the operator's, who decides where mail leaves from. */
  relay?: true;
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

const NO_ADDRESS: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.4', why: 'no-address' };
const DNS_AWAY: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.3', why: 'dns-unavailable' };
const NOT_LOOPBACK: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.0', why: 'not-loopback' };
const NOT_PUBLIC: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.4', why: 'not-public' };
const LITERAL: Refusal = { refused: 'permanent', code: 550, enhancedCode: '5.1.2', why: 'address-literal' };

/**
 * Finds the exchangers of a domain: by MX records, or to where the operator routes it. Nothing leaves loopback unless
 * the operator allowed it; then it goes to public addresses alone, whatever DNS says, unless a route allows more.
 * Answers are kept for a while, a bounded number of them.
 */
export class RouteService {
  private readonly cache = new Map<string, Cached>();
  private readonly allowed: (address: string) => boolean;
  private warned = false;

  constructor(
    private readonly config: Pick<DeliveryConfig, 'OUTBOUND_ALLOW' | 'SMTP_PORT' | 'MX_CACHE_MS' | 'MX_CACHE_ENTRIES'>,
    private readonly routes: StaticRoutes,
    private readonly resolver: MxResolver,
    private readonly dane: DaneResolver | undefined,
    private readonly sts: Pick<StsService, 'policy'>,
    private readonly log: Log,
  ) {
    this.allowed = allowedAddress(config.OUTBOUND_ALLOW);
  }

  /** `domain` is ASCII. Throws only if the database is away, where a policy of the domain's could be kept. */
  find(domain: string): Promise<Route> {
    const route = this.routes.find(domain);
    const key = keyOf(domain, route);
    const known = this.cache.get(key);
    if (known && Date.now() < known.until) return known.route;
    const cached: Cached = { route: this.look(domain, route), until: Date.now() + this.config.MX_CACHE_MS };
    // In order of entry: the oldest goes, which is also the one that ends first.
    this.cache.delete(key);
    this.cache.set(key, cached);
    if (this.cache.size > this.config.MX_CACHE_ENTRIES) this.cache.delete(this.cache.keys().next().value as string);
    cached.route.then(
      (route) => {
        if ('refused' in route && route.refused === 'temporary') shorten(cached);
      },
      () => {
        if (this.cache.get(key) === cached) this.cache.delete(key);
      },
    );
    return cached.route;
  }

  /** What is known of the domain turned out not to hold: it is asked for again, in a moment. */
  doubt(domain: string): void {
    const known = this.cache.get(keyOf(domain, this.routes.find(domain)));
    if (known) shorten(known);
  }

  private async look(domain: string, route: StaticRoute | undefined): Promise<Route> {
    const found = route?.hosts ? await this.byRoute(route.hosts, route) : await this.byMx(domain, route);
    if (!Array.isArray(found)) return found;
    if (found.length === 0) return NO_ADDRESS;
    const allowed = found.filter(
      ({ address }) => this.allowed(address) || (route?.allowPrivate && this.config.OUTBOUND_ALLOW === 'any'),
    );
    if (allowed.length > 0) return { exchangers: allowed.slice(0, MAX_EXCHANGERS) };
    if (this.config.OUTBOUND_ALLOW === 'any') return NOT_PUBLIC;
    if (!this.warned) this.log.warn('route.not-loopback', { variable: 'OUTBOUND_ALLOW' });
    this.warned = true;
    return NOT_LOOPBACK;
  }

  private async byMx(domain: string, route: StaticRoute | undefined): Promise<Exchanger[] | Refusal> {
    // Whoever writes an address says where we shall connect to; mail is for domains.
    if (domain.startsWith('[') || isIP(domain) !== 0) return LITERAL;
    const answer = await this.resolver.hosts(domain);
    if ('refused' in answer) return answer;
    const [sts, ...found] = await Promise.all([
      this.sts.policy(domain),
      ...answer.hosts.slice(0, MAX_EXCHANGERS).map((host) => this.addressed(host, answer.secure)),
    ]);
    const failed = found.includes(undefined);
    const exchangers = found.flatMap((each) => {
      if (!each) return [];
      const { host, addresses, dane } = each;
      const demand = routeDemand(host, route?.tls, hostDemand(domain, host, dane, sts));
      if (addresses.length > 0 && dane.kind === 'failed') countTls('tlsa', 'dnssec-invalid', host);
      if (addresses.length > 0 && dane.kind === 'unusable') countTls('tlsa', 'tlsa-invalid', host);
      return addresses.map((address) => ({ host, address, port: this.config.SMTP_PORT, demand }));
    });
    return exchangers.length === 0 && failed ? DNS_AWAY : exchangers;
  }

  /** `secure`: DNSSEC vouches for the host being an exchanger of the domain. Undefined if DNS does not answer. */
  private async addressed(
    host: string,
    secure: boolean,
  ): Promise<{ host: string; addresses: string[]; dane: Dane } | undefined> {
    try {
      const found = await this.resolver.addresses(host);
      const dane = secure ? await this.dane?.find(host, this.config.SMTP_PORT, found) : undefined;
      return { host, addresses: found.addresses, dane: dane ?? { kind: 'none' } };
    } catch {
      return undefined;
    }
  }

  /** By the system's means: such names may stand in its file of hosts, or be the cluster's. */
  private async byRoute(
    hosts: { host: string; port: number }[],
    { tls, login }: StaticRoute,
  ): Promise<Exchanger[] | Refusal> {
    const found = await Promise.all(
      hosts.map(async ({ host, port }) => {
        const demand = routeDemand(host, tls, { kind: 'none' });
        const relay = true as const;
        const addresses = await lookup(host, { all: true }).catch(() => []);
        return addresses.map(({ address }) => ({ host, address, port, demand, relay, ...(login ? { login } : {}) }));
      }),
    );
    const exchangers = found.flat();
    return exchangers.length > 0 ? exchangers : DNS_AWAY;
  }
}

/** All mail of a route with hosts of its own goes the same way. No domain has a space. */
const keyOf = (domain: string, route: StaticRoute | undefined): string =>
  route?.hosts ? `route ${route.match}` : domain;

function shorten(cached: Cached): void {
  cached.until = Math.min(cached.until, Date.now() + TEMPORARY_CACHE_MS);
}
