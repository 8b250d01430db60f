import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../clock/clock.ts';
import { ALGORITHM, ISSUER, LIFETIME_SECONDS } from './identity.ts';
import type { Claims } from './identity.ts';

/** A token is handed out for half its life; the other half is left for the call it is used in. */
const REUSE_MS = (LIFETIME_SECONDS * 1000) / 2;
const MAX_CACHED = 10_000;

interface Cached {
  token: Promise<string>;
  until: number;
}

/** Signs who is calling, for one service at a time (`audience`). EdDSA JWT, valid for 60 s. */
export class IdentitySigner {
  private readonly key: KeyObject;
  private readonly cache = new Map<string, Cached>();

  constructor(
    privateKeyPem: string,
    private readonly clock: Clock,
  ) {
    this.key = createPrivateKey(privateKeyPem);
  }

  sign(audience: string, claims: Claims): Promise<string> {
    const { account, scopes, keyId, domain } = claims;
    const now = this.clock.now();
    const cacheKey = JSON.stringify([audience, account, keyId, domain ?? null, scopes]);
    const cached = this.cache.get(cacheKey);
    if (cached && cached.until > now) return cached.token;
    const issued = Math.floor(now / 1000);
    const token = new SignJWT({ account, scopes, key: keyId, ...(domain ? { domain } : {}) })
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setIssuedAt(issued)
      .setExpirationTime(issued + LIFETIME_SECONDS)
      .sign(this.key);
    this.remember(cacheKey, { token, until: now + REUSE_MS });
    return token;
  }

  private remember(cacheKey: string, entry: Cached): void {
    this.cache.delete(cacheKey);
    const oldest = this.cache.size >= MAX_CACHED ? this.cache.keys().next().value : undefined;
    if (oldest !== undefined) this.cache.delete(oldest);
    this.cache.set(cacheKey, entry);
  }
}
