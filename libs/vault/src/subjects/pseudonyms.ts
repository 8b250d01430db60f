import { Batcher } from '@lethe/service';
import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { KeyWrap } from '../crypto/key-wrap.ts';
import { ForgottenError, VaultUnavailableError } from '../errors.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import type { LoaderLimits } from '../keys/secret-loader.ts';
import type { VaultDatabase } from '../keys/vault-database.ts';

const DOMAIN = Buffer.from('lethe/subject/v1\0');

/**
 * A person's pseudonym towards one account: HMAC-SHA-256 under the account's pseudonym key. Not reversible without that
 * key, unlike a hash of the address, and different in every account (Art. 4(5) GDPR).
 */
export class Pseudonyms {
  private readonly keys: Batcher<string, KeyObject>;

  constructor(
    private readonly database: VaultDatabase,
    private readonly cache: KeyCache,
    private readonly keyWrap: KeyWrap,
    private readonly trusted: { now: () => boolean; regained: () => Promise<void> },
    limits: LoaderLimits,
  ) {
    this.keys = new Batcher(
      { maxItems: limits.batch, maxQueued: limits.queued, lingerMs: 0, concurrency: 2 },
      (accounts) => this.load(accounts),
    );
  }

  /** 32 bytes each, in order. `normalForms`: addresses in normal form (`normalForm` of `@lethe/mail`). */
  async of(account: string, normalForms: string[]): Promise<Buffer[]> {
    const cached = this.trusted.now() ? this.cache.pseudonymKeys.get(account) : undefined;
    const key = cached ?? (await this.keys.add(account));
    return normalForms.map((form) => createHmac('sha256', key).update(DOMAIN).update(form, 'utf8').digest());
  }

  private async load(accounts: string[]): Promise<(KeyObject | Error)[]> {
    await this.trusted.regained();
    const load = this.cache.beginLoad();
    try {
      const rows = await this.database.call<{ account: string; secret: Buffer }>('read_pseudonym_keys', [
        [...new Set(accounts)],
      ]);
      if (!load.fresh()) throw new VaultUnavailableError('its revocations interrupted');
      const keys = new Map(
        rows.map(({ account, secret }) => {
          const bytes = this.keyWrap.unwrap(secret);
          const key = createSecretKey(bytes);
          bytes.fill(0);
          this.cache.pseudonymKeys.set(account, key);
          return [account, key];
        }),
      );
      return accounts.map((account) => keys.get(account) ?? new ForgottenError('account'));
    } finally {
      load.end();
    }
  }
}
