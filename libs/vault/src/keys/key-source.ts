import { VaultUnavailableError } from '../errors.ts';
import type { KeyCache } from './key-cache.ts';
import type { Revocations, RevokedKind } from './revocations.ts';

/** Interruptions by revocations that concern everything, before it is called unavailable. */
const ATTEMPTS = 3;

export type Revoked = (kind: RevokedKind, id: string) => boolean;

/** When the cache may be used, and how answers of the vault get into it. */
export class KeySource {
  private readonly revocations: Revocations;
  private readonly cache: KeyCache;
  private readonly patienceMs: number;

  constructor(revocations: Revocations, cache: KeyCache, patienceMs: number) {
    this.revocations = revocations;
    this.cache = cache;
    this.patienceMs = patienceMs;
  }

  trusted(): boolean {
    return this.revocations.trusted();
  }

  /**
   * Reads while revocations are heard, and hands the answer to `keep`, which must not wait. If everything was cleared while
   * the answer was under way it may be older than what cleared it: it is read again (`read` must be repeatable).
   */
  async load<R, T>(read: () => Promise<R>, keep: (answer: R, revoked: Revoked) => T): Promise<T> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      await this.revocations.regained(this.patienceMs);
      const load = this.cache.beginLoad();
      try {
        const answer = await read();
        if (load.fresh()) return keep(answer, load.revoked);
      } finally {
        load.end();
      }
    }
    throw new VaultUnavailableError('its revocations keep interrupting');
  }
}
