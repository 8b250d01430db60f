import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';

/** Logins that are remembered at a time. */
const CAPACITY = 10_000;

interface Verified {
  /** The sealed credential it was verified against: another one is another password. */
  readonly credential: string;
  readonly digest: Buffer;
}

/**
 * Passwords that were right, so that a sender with many sessions pays for one slow hash. Kept as a hash under a key that dies
 * with the process. Whether the credential still stands is asked of the settings first, never of this.
 */
export class VerifiedLogins {
  private readonly key = createSecretKey(randomBytes(32));
  /** By credential's id, the longest unchanged first. */
  private readonly known = new Map<string, Verified>();

  has(id: string, credential: string, password: string): boolean {
    const verified = this.known.get(id);
    return verified?.credential === credential && timingSafeEqual(verified.digest, this.digest(password));
  }

  add(id: string, credential: string, password: string): void {
    this.known.delete(id);
    const oldest = this.known.keys().next();
    if (this.known.size >= CAPACITY && !oldest.done) this.known.delete(oldest.value);
    this.known.set(id, { credential, digest: this.digest(password) });
  }

  private digest(password: string): Buffer {
    return createHmac('sha256', this.key).update(password).digest();
  }
}
