import type { Period } from '@lethe/contracts';
import { ForgottenError, SealError, VaultUnavailableError } from '../errors.ts';
import { countSeal, deriveRecordKey } from '../crypto/record-key.ts';
import type { RecordKey } from '../crypto/record-key.ts';
import { decrypt, encrypt, parse } from '../crypto/jwe.ts';
import type { ParsedSeal } from '../crypto/jwe.ts';
import { derivedFrom } from '../keys/key-cache.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import type { KeySource } from '../keys/key-source.ts';
import type { SecretLoader, Wanted } from '../keys/secret-loader.ts';

/** `standing` data (suppressions, DKIM keys) has no period: it lives as long as its subject and account. */
export type SealPeriod = Period | 'standing';

/** What a value is sealed for and bound to. `recordId` and `type` are read in clear by anyone: opaque ids and constants only. */
export interface AccountSeal {
  account: string;
  period: SealPeriod;
  type: string;
  recordId: string;
}

export interface SubjectSeal extends AccountSeal {
  subject: string;
}

/** What the opener knows the value must be. */
export interface Expected {
  account: string;
  type: string;
  recordId: string;
}

/** The ids whose secrets make a record key. */
interface KeyNames {
  account: string;
  subject: string | undefined;
  period: string;
}

/** In place of a value whose keys are gone. */
export const FORGOTTEN: unique symbol = Symbol('forgotten');
export type Forgotten = typeof FORGOTTEN;

const STANDING = 'standing';
/** Evictions or revocations between loading and using, before it is called unavailable. */
const ATTEMPTS = 3;

export class Sealing {
  constructor(
    private readonly cache: KeyCache,
    private readonly loader: SecretLoader,
    private readonly source: KeySource,
  ) {}

  async seal(seal: AccountSeal & { subject?: string }, value: unknown): Promise<string> {
    const plaintext = JSON.stringify(value) as string | undefined;
    if (plaintext === undefined) throw new TypeError('Only what JSON can express can be sealed');
    const { account, subject, type, recordId } = seal;
    const period = seal.period === STANDING ? STANDING : `${seal.period.class}/${seal.period.bucket}`;
    const key = await this.key({ account, subject, period }, true);
    countSeal(key);
    return encrypt(
      key.key,
      {
        alg: 'dir',
        enc: 'A256GCM',
        acc: account,
        typ: type,
        rid: recordId,
        ...(subject === undefined ? {} : { sub: subject }),
        per: period,
      },
      plaintext,
    );
  }

  async open(jwe: string, expected: Expected, owner: 'subject' | 'account'): Promise<unknown> {
    const sealed = parse(jwe);
    check(sealed, expected, owner);
    const { acc, sub, per } = sealed.header;
    const key = await this.key({ account: acc, subject: sub, period: per }, false);
    return JSON.parse(decrypt(key.key, sealed)) as unknown;
  }

  private async key(names: KeyNames, sealing: boolean): Promise<RecordKey> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const key = this.cachedKey(names);
      if (key !== undefined) return key;
      await Promise.all(this.missing(names, sealing).map((wanted) => this.loader.load(wanted)));
    }
    const key = this.cachedKey(names);
    if (key === undefined) throw new VaultUnavailableError('its keys left the cache before they could be used');
    return key;
  }

  private cachedKey({ account, subject, period }: KeyNames): RecordKey | undefined {
    if (!this.source.trusted()) return undefined;
    const accountSecret = this.cache.accounts.get(account);
    const subjectSecret = subject === undefined ? undefined : this.cache.subjects.get(subject);
    const periodSecret = period === STANDING ? undefined : this.cache.period(period);
    if (accountSecret === undefined) return undefined;
    if (subject !== undefined && subjectSecret === undefined) return undefined;
    if (period !== STANDING && periodSecret === undefined) return undefined;
    const secrets = [subjectSecret, accountSecret, periodSecret].filter((secret) => secret !== undefined);
    return derivedFrom(subjectSecret ?? accountSecret, `${account} ${period}`, () =>
      deriveRecordKey(
        subject === undefined ? 'account' : 'subject',
        secrets.map(({ bytes }) => bytes),
      ),
    );
  }

  private missing({ account, subject, period }: KeyNames, sealing: boolean): Wanted[] {
    const wanted: Wanted[] = [];
    if (this.cache.accounts.get(account) === undefined) wanted.push({ kind: 'account', id: account });
    if (subject !== undefined && this.cache.subjects.get(subject) === undefined) {
      wanted.push({ kind: 'subject', id: subject });
    }
    if (period !== STANDING && this.cache.period(period) === undefined) {
      wanted.push({ kind: 'period', id: period, make: sealing });
    }
    // All are there but trust is not: asking for one waits for trust, and reads it anew.
    return wanted.length > 0 ? wanted : [{ kind: 'account', id: account }];
  }
}

/** A ciphertext cannot be moved to another record, type or account: the opener says which it expects. */
function check({ header }: ParsedSeal, expected: Expected, owner: 'subject' | 'account'): void {
  if (header.acc !== expected.account) throw new SealError('wrong-account');
  if (header.typ !== expected.type || (owner === 'subject') !== (header.sub !== undefined)) {
    throw new SealError('wrong-type');
  }
  if (header.rid !== expected.recordId) throw new SealError('wrong-record');
}

export async function orForgotten<T>(opening: Promise<T>): Promise<T | Forgotten> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof ForgottenError) return FORGOTTEN;
    throw error;
  }
}
