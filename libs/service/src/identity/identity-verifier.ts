import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../clock/clock.ts';
import { ALGORITHM, ISSUER, LIFETIME_SECONDS } from './identity.ts';
import type { Claims } from './identity.ts';

const MAX_CACHED = 10_000;

const payload = z.object({
  account: z.string().min(1),
  scopes: z.array(z.string()),
  key: z.string(),
  domain: z.string().optional(),
  exp: z.number(),
  iat: z.number(),
});

interface Verified {
  claims: Claims;
  expires: number;
}

/** Verifies the gateway's tokens for one service, each token once. */
export class IdentityVerifier {
  private readonly key: KeyObject;
  private readonly cache = new Map<string, Verified>();

  constructor(
    publicKeyPem: string,
    private readonly audience: string,
    private readonly clock: Clock,
  ) {
    this.key = createPublicKey(publicKeyPem);
  }

  /** The claims of a token, or undefined when it is not valid here and now. */
  async verify(token: string): Promise<Claims | undefined> {
    const now = this.clock.now();
    const cached = this.cache.get(token);
    if (cached) return cached.expires > now ? cached.claims : undefined;
    const verified = await this.check(token, now);
    if (!verified) return undefined;
    const oldest = this.cache.size >= MAX_CACHED ? this.cache.keys().next().value : undefined;
    if (oldest !== undefined) this.cache.delete(oldest);
    this.cache.set(token, verified);
    return verified.claims;
  }

  private async check(token: string, now: number): Promise<Verified | undefined> {
    try {
      const result = await jwtVerify(token, this.key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: this.audience,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'iat'],
        maxTokenAge: LIFETIME_SECONDS,
      });
      const { account, scopes, key, domain, exp, iat } = payload.parse(result.payload);
      return {
        claims: { account, scopes, keyId: key, ...(domain === undefined ? {} : { domain }) },
        expires: Math.min(exp, iat + LIFETIME_SECONDS) * 1000,
      };
    } catch {
      return undefined;
    }
  }
}
