import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { AccountSettings } from '@lethe/contracts';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import type { Claims } from '@lethe/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.ts';
import { AddressWindow } from '../limits/address-window.ts';
import { RequestRates } from '../limits/request-rates.ts';
import type { Permission, Route } from '../routing/routes.ts';
import { readCredentials } from './credentials.ts';
import { Settings } from './settings.ts';
import type { KnownKey } from './settings.ts';

/** Who was let in, and whose share of the gateway they use: a subaccount has its parent's. */
export interface Admitted {
  readonly claims: Claims;
  readonly payer: string;
}

/** In whose name what needs no key is asked for. */
export const NOBODY: Claims = { account: 'nobody', scopes: [], keyId: 'nobody' };
/** Mailgun's header: which subaccount a parent acts for. */
const ON_BEHALF_OF = 'x-mailgun-on-behalf-of';
const OPERATOR: Claims = { account: 'operator', scopes: ['operator'], keyId: 'operator' };

/** Decides who a request is from and whether it may take the route it asks for. */
@Injectable()
export class Gatekeeper {
  private readonly rates: RequestRates;
  /**
   * Only further *refusals* turn into 429: a right key behind the same address keeps working, so nobody can lock a customer
   * out, and 256-bit keys need no other protection from guessing.
   */
  private readonly failedLogins: AddressWindow;
  private readonly strangers: AddressWindow;
  private readonly operatorHash: Buffer | undefined;

  constructor(
    @Inject(CONFIG) config: GatewayConfig,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {
    this.rates = new RequestRates(config);
    const { FAILED_LOGIN_WINDOW_MS: windowMs, FAILED_LOGIN_ADDRESSES: addresses } = config;
    this.failedLogins = new AddressWindow(config.FAILED_LOGINS, windowMs, addresses);
    this.strangers = new AddressWindow(config.PUBLIC_REQUESTS, windowMs, addresses);
    const hash = config.OPERATOR_TOKEN_SHA256;
    this.operatorHash = hash === undefined ? undefined : Buffer.from(hash, 'hex');
  }

  /** What the gateway vouches for. `domain`: the path's domain, decoded. Throws ApiError; sets headers that belong to it. */
  admit(request: FastifyRequest, reply: FastifyReply, route: Route, domain: string | undefined): Admitted {
    if (route.permission === 'none') return selfPaying(this.admitAnyone(request, reply));
    const credentials = readCredentials(request.headers.authorization);
    if (!credentials) return this.refuse(request, reply);
    if (credentials.kind === 'token') {
      if (!this.isOperator(credentials.hash)) return this.refuse(request, reply);
      if (route.permission !== 'operator') throw new ApiError(403, 'This route needs an API key');
      return selfPaying(OPERATOR);
    }
    refuseForeignPages(request);
    // An old table would let a revoked key in: fail closed.
    if (!this.settings.usable())
      throw new ApiError(503, 'Temporarily unavailable, try again', { retryAfterSeconds: 2 });
    const known = this.settings.key(credentials.hash);
    if (!known || (known.key.expiresAt ?? Number.POSITIVE_INFINITY) <= this.clock.now()) {
      return this.refuse(request, reply);
    }
    const { key } = known;
    this.limit(known, reply);
    const wanted = route.also ? [route.permission, route.also] : [route.permission];
    if (!wanted.every((one) => holds(key.scopes, one))) throw new ApiError(403, 'This API key may not do that');
    const account = this.actingFor(known, request.headers[ON_BEHALF_OF]);
    const domainId = domain === undefined ? key.domainId : this.ownDomain({ account, key }, domain);
    const claims = { account: account.accountId, scopes: key.scopes, keyId: key.id };
    return { claims: { ...claims, ...(domainId ? { domain: domainId } : {}) }, payer: payerOf(known) };
  }

  /** To what needs no key: whoever it is, but not too often. */
  admitAnyone(request: FastifyRequest, reply: FastifyReply): Claims {
    const now = this.clock.now();
    const waitSeconds = this.strangers.record(request.ip, now);
    if (waitSeconds !== undefined) tooMany(reply, now, waitSeconds);
    return NOBODY;
  }

  /** A parent's key acts for its subaccounts, with the rights it has; a stranger's subaccount is as unknown as none. */
  private actingFor({ account, key }: KnownKey, subaccount: string | string[] | undefined): AccountSettings {
    if (subaccount === undefined) return account;
    if (key.domainId !== undefined) throw new ApiError(403, 'This API key belongs to one domain of its own account');
    const found = typeof subaccount === 'string' ? this.settings.subaccount(subaccount, account.accountId) : undefined;
    if (!found) throw new ApiError(404, 'Subaccount not found');
    return found;
  }

  private ownDomain({ account, key }: KnownKey, name: string): string {
    const domain = this.settings.domain(name);
    // The same answer for a stranger's domain as for none, so that nobody learns who is a customer.
    if (domain?.accountId !== account.accountId) throw new ApiError(404, 'Domain not found');
    if (key.domainId !== undefined && key.domainId !== domain.domainId) {
      throw new ApiError(403, 'This API key belongs to another domain');
    }
    return domain.domainId;
  }

  private isOperator(hash: string): boolean {
    return this.operatorHash !== undefined && timingSafeEqual(this.operatorHash, Buffer.from(hash, 'hex'));
  }

  private limit(known: KnownKey, reply: FastifyReply): void {
    const now = this.clock.now();
    const { headers, retryAfterSeconds } = this.rates.charge(known.key.id, payerOf(known), now);
    void reply.headers(headers);
    if (retryAfterSeconds !== undefined) tooMany(reply, now, retryAfterSeconds);
  }

  private refuse(request: FastifyRequest, reply: FastifyReply): never {
    const now = this.clock.now();
    const waitSeconds = this.failedLogins.record(request.ip, now);
    if (waitSeconds !== undefined) tooMany(reply, now, waitSeconds);
    void reply.header('www-authenticate', 'Basic realm="api", charset="UTF-8"');
    throw new ApiError(401, 'Invalid private key');
  }
}

/** A page of somebody else's makes a browser send this (Fetch Metadata), and with it the key that the browser was told at `/docs`. */
const FOREIGN = new Set(['cross-site', 'same-site']);

function refuseForeignPages({ method, headers }: FastifyRequest): void {
  if (method === 'GET' || method === 'HEAD' || !FOREIGN.has(String(headers['sec-fetch-site']))) return;
  throw new ApiError(
    403,
    'A page of another site asked for this: it may not act with a key that the browser remembers',
  );
}

const payerOf = ({ account }: KnownKey): string => account.parentId ?? account.accountId;
const selfPaying = (claims: Claims): Admitted => ({ claims, payer: claims.account });
const holds = (scopes: readonly Permission[], wanted: Permission): boolean => scopes.includes(wanted);

/** `X-RateLimit-Reset` in epoch seconds, as mailgun-go reads it. */
function tooMany(reply: FastifyReply, now: number, retryAfterSeconds: number): never {
  void reply.header('x-ratelimit-reset', String(Math.ceil(now / 1_000) + retryAfterSeconds));
  throw new ApiError(429, 'Too many requests', { retryAfterSeconds });
}
