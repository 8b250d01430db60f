import { ApiError, OverloadedError, Semaphore } from '@lethe/service';

export interface ShareLimits {
  /** Requests of one account that are with a service at once. */
  connections: number;
  /** Requests of one account that are with it or wait; more are refused. */
  inFlight: number;
}

interface Share {
  readonly turns: Semaphore;
  requests: number;
}

/**
 * How much of the connections to a service the requests of one account hold: whoever reads or writes slowly in many requests waits for
 * themselves, and all others find connections free.
 */
export class AccountShares {
  /** Those with requests under way alone. */
  private readonly shares = new Map<string, Share>();

  constructor(private readonly limits: ShareLimits) {}

  /** Runs the request when it is its turn. @throws ApiError 429 where the account has too many already. */
  async run(account: string, request: () => Promise<void>): Promise<void> {
    const { connections, inFlight } = this.limits;
    const share = this.shares.get(account) ?? {
      turns: new Semaphore(connections, Math.max(0, inFlight - connections)),
      requests: 0,
    };
    this.shares.set(account, share);
    share.requests += 1;
    try {
      await share.turns.run(request);
    } catch (error) {
      throw error instanceof OverloadedError ? tooMany() : error;
    } finally {
      share.requests -= 1;
      if (share.requests === 0) this.shares.delete(account);
    }
  }
}

const tooMany = (): ApiError =>
  new ApiError(429, 'Too many requests of the account are under way: wait for some', { retryAfterSeconds: 1 });
