import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import type { AccountSettings } from '@lethe/contracts';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import type { Claims } from '@lethe/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.ts';
import { AddressWindow } from '../limits/address-window.ts';
import { RequestRates } from '../limits/request-rates.ts';
import type { Permission, Route } from '../routing/routes.ts';
import { readCredentials } from './credentials.ts';
import { pageOrigin } from './page-origin.ts';
import { SessionUse } from './session-use.ts';
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
const OPERATOR: Claims = {
  account: PLATFORM_ACCOUNT,
  scopes: ['operator', 'operator:read', 'users:read', 'users:write'],
  keyId: 'operator',
};
/** Not to be done by who finds a session open, or stole one: what erases people, and what lets somebody in who could do that. */
const GRAVE = new Set<Permission>(['privacy:write', 'keys:write', 'users:write']);
const SAFE = new Set(['GET', 'HEAD']);

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
  /** Requests that count already: one that waits for its turn is asked for a second time. */
  private readonly counted = new WeakSet<FastifyRequest>();

  constructor(
    @Inject(CONFIG) private readonly config: GatewayConfig,
    private readonly settings: Settings,
    private readonly uses: SessionUse,
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
    if (route.permission === 'none') {
      if (route.ownPages && this.page(request) === 'foreign') throw foreignPage();
      return selfPaying(this.admitAnyone(request, reply));
    }
    const credentials = readCredentials(request.headers);
    if (!credentials) return this.refuse(request, reply);
    if (credentials.kind === 'token') {
      if (!this.isOperator(credentials.hash)) return this.refuse(request, reply);
      if (!holds(OPERATOR.scopes, route.permission)) throw new ApiError(403, 'This route needs an API key');
      return selfPaying(OPERATOR);
    }
    // An old table would let a revoked key in: fail closed.
    if (!this.settings.usable())
      throw new ApiError(503, 'Temporarily unavailable, try again', { retryAfterSeconds: 2 });
    return credentials.kind === 'key'
      ? this.admitKey(request, reply, route, domain, this.settings.key(credentials.hash))
      : this.admitSession(request, reply, route, domain, this.settings.session(credentials.hash));
  }

  private admitKey(
    request: FastifyRequest,
    reply: FastifyReply,
    route: Route,
    domain: string | undefined,
    known: KnownKey | undefined,
  ): Admitted {
    refuseForeignPages(request);
    if (!known || !this.lives(known)) return this.refuse(request, reply);
    this.limit(known, request, reply);
    if (route.permission === 'session') throw new ApiError(403, 'This route needs a session: sign in');
    if (!mayTake(route, known)) throw new ApiError(403, 'This API key may not do that');
    return this.admitted(request, known, domain);
  }

  /** A browser sends a session along with whatever any page asks it to: what changes something comes from a page of ours, or not at all. */
  private admitSession(
    request: FastifyRequest,
    reply: FastifyReply,
    route: Route,
    domain: string | undefined,
    known: KnownKey | undefined,
  ): Admitted {
    if (!known || !this.lives(known)) {
      this.count(request, reply);
      throw new ApiError(401, 'The session has ended: sign in again');
    }
    this.limit(known, request, reply);
    if (!SAFE.has(request.method) && this.page(request) !== 'own') throw foreignPage();
    if (!mayTake(route, known)) throw new ApiError(403, 'The role of this user may not do that');
    if (GRAVE.has(route.permission) && !this.isRecent(known)) {
      throw new ApiError(403, 'This takes a recent sign-in: sign in again');
    }
    const admitted = this.admitted(request, known, domain);
    if ((known.key.renewAt ?? 0) <= this.clock.now()) this.uses.note(admitted.claims);
    return admitted;
  }

  private admitted(request: FastifyRequest, known: KnownKey, domain: string | undefined): Admitted {
    const { key } = known;
    const account = this.actingFor(known, request.headers[ON_BEHALF_OF]);
    const domainId = domain === undefined ? key.domainId : this.ownDomain({ account, key }, domain);
    const claims = { account: account.accountId, scopes: [...key.scopes], keyId: key.id };
    return { claims: { ...claims, ...(domainId ? { domain: domainId } : {}) }, payer: payerOf(known) };
  }

  /** To what needs no key: whoever it is, but not too often. */
  admitAnyone(request: FastifyRequest, reply: FastifyReply): Claims {
    if (this.counted.has(request)) return NOBODY;
    this.counted.add(request);
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

  private limit(known: KnownKey, request: FastifyRequest, reply: FastifyReply): void {
    if (this.counted.has(request)) return;
    this.counted.add(request);
    const now = this.clock.now();
    const { headers, retryAfterSeconds } = this.rates.charge(known.key.id, payerOf(known), now);
    void reply.headers(headers);
    if (retryAfterSeconds !== undefined) tooMany(reply, now, retryAfterSeconds);
  }

  private isRecent({ key }: KnownKey): boolean {
    return (key.signedInAt ?? 0) > this.clock.now() - this.config.RECENT_SIGN_IN_MS;
  }

  private lives({ key }: KnownKey): boolean {
    return (key.expiresAt ?? Number.POSITIVE_INFINITY) > this.clock.now();
  }

  private page(request: FastifyRequest) {
    return pageOrigin(request.headers, this.config.PUBLIC_URL.origin);
  }

  private count(request: FastifyRequest, reply: FastifyReply): void {
    const now = this.clock.now();
    const waitSeconds = this.failedLogins.record(request.ip, now);
    if (waitSeconds !== undefined) tooMany(reply, now, waitSeconds);
  }

  private refuse(request: FastifyRequest, reply: FastifyReply): never {
    this.count(request, reply);
    void reply.header('www-authenticate', 'Basic realm="api", charset="UTF-8"');
    throw new ApiError(401, 'Invalid private key');
  }
}

/** A page of somebody else's makes a browser send this (Fetch Metadata), and with it the key that the browser was told at `/docs`. */
const FOREIGN = new Set(['cross-site', 'same-site']);

function refuseForeignPages({ method, headers }: FastifyRequest): void {
  if (SAFE.has(method) || !FOREIGN.has(String(headers['sec-fetch-site']))) return;
  throw new ApiError(
    403,
    'A page of another site asked for this: it may not act with a key that the browser remembers',
  );
}

const payerOf = ({ account }: KnownKey): string => account.parentId ?? account.accountId;
const selfPaying = (claims: Claims): Admitted => ({ claims, payer: claims.account });
const foreignPage = (): ApiError => new ApiError(403, 'The request comes from a page of another site');

const mayTake = ({ permission, also }: Route, { key }: KnownKey): boolean =>
  holds(key.scopes, permission) && (also === undefined || holds(key.scopes, also));

const holds = (scopes: readonly string[], wanted: Permission): boolean => scopes.includes(wanted);

/** `X-RateLimit-Reset` in epoch seconds, as mailgun-go reads it. */
function tooMany(reply: FastifyReply, now: number, retryAfterSeconds: number): never {
  void reply.header('x-ratelimit-reset', String(Math.ceil(now / 1_000) + retryAfterSeconds));
  throw new ApiError(429, 'Too many requests', { retryAfterSeconds });
}
