import { Batcher } from '@lethe/service';
import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { KeyWrap } from '../crypto/key-wrap.ts';
import { ForgottenError } from '../errors.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import type { KeySource } from '../keys/key-source.ts';
import type { LoaderLimits } from '../keys/secret-loader.ts';
import type { VaultDatabase } from '../keys/vault-database.ts';

const DOMAIN = Buffer.from('lethe/subject/v1\0');
const HASH_DOMAIN = 'lethe/keyed-hash/v1\0';

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
    private readonly source: KeySource,
    limits: LoaderLimits,
  ) {
    this.keys = new Batcher(
      { maxItems: limits.batch, maxQueued: limits.queued, lingerMs: 0, concurrency: 2 },
      (accounts) => this.load(accounts),
    );
  }

  /** 32 bytes each, in order. `normalForms`: addresses in normal form (`normalForm` of `@lethe/mail`). */
  async of(account: string, normalForms: readonly string[]): Promise<Buffer[]> {
    const key = await this.key(account);
    return normalForms.map((form) => createHmac('sha256', key).update(DOMAIN).update(form, 'utf8').digest());
  }

  /** HMAC-SHA-256 of other text than addresses; `purpose` keeps uses apart from each other and from pseudonyms. */
  async hash(account: string, purpose: string, text: string): Promise<Buffer> {
    const key = await this.key(account);
    return createHmac('sha256', key).update(`${HASH_DOMAIN}${purpose}\0`).update(text, 'utf8').digest();
  }

  private async key(account: string): Promise<KeyObject> {
    const cached = this.source.trusted() ? this.cache.pseudonymKeys.get(account) : undefined;
    return cached ?? (await this.keys.add(account));
  }

  private load(accounts: string[]): Promise<(KeyObject | Error)[]> {
    return this.source.load(
      () => this.database.call<{ account: string; secret: Buffer }>('read_pseudonym_keys', [[...new Set(accounts)]]),
      (rows, revoked) => {
        const keys = new Map(rows.map(({ account, secret }) => [account, this.open(secret)]));
        return accounts.map((account) => {
          const key = keys.get(account);
          if (key === undefined || revoked('account', account)) return new ForgottenError('account');
          this.cache.pseudonymKeys.set(account, key);
          return key;
        });
      },
    );
  }

  private open(wrapped: Buffer): KeyObject {
    const bytes = this.keyWrap.unwrap(wrapped);
    const key = createSecretKey(bytes);
    bytes.fill(0);
    return key;
  }
}
