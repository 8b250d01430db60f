import { openJwe, openTinkStream, recordKey } from './open.ts';
import type { SealedValue } from './sealed-values.ts';
import type { VaultSecret } from './vault-secrets.ts';

export interface SealedBody {
  readonly messageId: string;
  readonly octets: Buffer;
}

/** Something sealed, and what was in it if one of the secrets in hand opened it. */
export interface Tried<T> {
  readonly sealed: T;
  readonly plaintext: string | null;
}

/**
 * Tries to open what somebody saved with every secret they could have: the ones that its header names; and where one of those
 * is not among them, every other secret in its place. `others`: what is in configuration, 32 octets each.
 */
export class KeyProof {
  readonly #byId = new Map<string, Buffer[]>();
  readonly #all: Buffer[];

  constructor(secrets: readonly VaultSecret[], others: readonly Buffer[]) {
    for (const { ids, secret } of secrets) {
      for (const id of ids) this.#byId.set(id, [...(this.#byId.get(id) ?? []), secret]);
    }
    this.#all = [...secrets.map(({ secret }) => secret), ...others];
  }

  values(values: readonly SealedValue[]): Tried<SealedValue>[] {
    return values.map((sealed) => ({ sealed, plaintext: this.#openValue(sealed) }));
  }

  bodies(bodies: readonly SealedBody[]): Tried<SealedBody>[] {
    return bodies.map((sealed) => ({ sealed, plaintext: this.#openBody(sealed) }));
  }

  #openValue({ jwe, account, subject, period }: SealedValue): string | null {
    const accounts = this.#named(account);
    for (const subjectSecret of subject === null ? [undefined] : this.#named(subject)) {
      for (const periodSecret of period === 'standing' ? [undefined] : this.#named(period)) {
        for (const accountSecret of accounts) {
          const key = recordKey({
            ...(subjectSecret && { subject: subjectSecret }),
            account: accountSecret,
            ...(periodSecret && { period: periodSecret }),
          });
          const plaintext = openJwe(jwe, key);
          if (plaintext !== null) return plaintext;
        }
      }
    }
    return null;
  }

  #openBody({ messageId, octets }: SealedBody): string | null {
    for (const key of this.#named(messageId)) {
      const plaintext = openTinkStream(octets, key, messageId);
      if (plaintext !== null) return plaintext.toString('latin1');
    }
    return null;
  }

  #named(id: string): readonly Buffer[] {
    return this.#byId.get(id) ?? this.#all;
  }
}
