import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, networkOf } from '@lethe/service';

/** Mistakes that cost nothing: somebody types. */
const FREE = 3;
const LONGEST_MS = 300_000;
const FORGOTTEN_MS = 900_000;
/** Addresses that are remembered at a time. */
const CAPACITY = 10_000;

interface Failures {
  readonly count: number;
  readonly at: number;
}

/**
 * After failed logins an address has to wait before a password is looked at again: 1 s, and twice as long each further time. A
 * login that succeeds forgives nothing, or whoever has one could guess at others between. Addresses are personal: kept as a hash
 * under a key that dies with the process, for 15 minutes.
 */
@Injectable()
export class LoginBackoff {
  private readonly key = createSecretKey(randomBytes(32));
  /** In the order of their last failure. */
  private readonly failures = new Map<string, Failures>();

  constructor(private readonly clock: Clock) {}

  failed(address: string): void {
    const id = this.idOf(address);
    const count = (this.current(id)?.count ?? 0) + 1;
    this.failures.delete(id);
    const oldest = this.failures.keys().next();
    if (this.failures.size >= CAPACITY && !oldest.done) this.failures.delete(oldest.value);
    this.failures.set(id, { count, at: this.clock.now() });
  }

  /** Seconds until a password from this address is looked at again; 0: now. */
  waitSeconds(address: string): number {
    const known = this.current(this.idOf(address));
    if (known === undefined || known.count <= FREE) return 0;
    const until = known.at + Math.min(1_000 * 2 ** (known.count - FREE - 1), LONGEST_MS);
    return Math.max(0, Math.ceil((until - this.clock.now()) / 1_000));
  }

  private current(id: string): Failures | undefined {
    for (const [oldest, { at }] of this.failures) {
      if (at + FORGOTTEN_MS > this.clock.now()) break;
      this.failures.delete(oldest);
    }
    return this.failures.get(id);
  }

  private idOf(address: string): string {
    return createHmac('sha256', this.key).update(networkOf(address)).digest('base64url');
  }
}
