import type { GatewayConfig } from '../config.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { Allowance } from './rate-limiter.ts';

export interface Charged {
  /** `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-09. */
  headers: Record<string, string>;
  /** Undefined: within all limits. */
  retryAfterSeconds: number | undefined;
}

/** Requests of each key and of each account: a customer's many keys share what the account may. */
export class RequestRates {
  private readonly keys: RateLimiter;
  private readonly accounts: RateLimiter;
  private readonly policy: string;

  constructor(config: GatewayConfig) {
    this.keys = new RateLimiter(config.RATE_PER_SECOND, config.RATE_BURST, config.RATE_KEYS);
    this.accounts = new RateLimiter(config.RATE_ACCOUNT_PER_SECOND, config.RATE_ACCOUNT_BURST, config.RATE_KEYS);
    this.policy = `${policyOf('key', this.keys)}, ${policyOf('account', this.accounts)}`;
  }

  /** Counts one more request. A key over its own limit takes nothing from its account. `now` in milliseconds. */
  charge(keyId: string, accountId: string, now: number): Charged {
    const key = this.keys.take(keyId, now);
    const account = key.allowed ? this.accounts.take(accountId, now) : undefined;
    const limits = [itemOf('key', key), ...(account ? [itemOf('account', account)] : [])];
    const refused = [key, account].find((allowance) => allowance?.allowed === false);
    return {
      headers: { 'ratelimit-policy': this.policy, ratelimit: limits.join(', ') },
      retryAfterSeconds: refused?.retryAfterSeconds,
    };
  }
}

/** A bucket that fills in w seconds lets q requests through in any w seconds on average. */
const policyOf = (name: string, { burst, perSecond }: RateLimiter): string =>
  `"${name}";q=${burst};w=${Math.ceil(burst / perSecond)}`;

const itemOf = (name: string, { remaining, resetSeconds }: Allowance): string =>
  `"${name}";r=${remaining};t=${resetSeconds}`;
