import { Batcher } from '@lethe/service';
import { randomUUID } from 'node:crypto';
import type { KeyWrap } from '../crypto/key-wrap.ts';
import { ForgottenError } from '../errors.ts';
import { held } from '../keys/key-cache.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import type { KeySource } from '../keys/key-source.ts';
import type { LoaderLimits } from '../keys/secret-loader.ts';
import type { VaultDatabase } from '../keys/vault-database.ts';
import type { Pseudonyms } from './pseudonyms.ts';

/** Random (uuid v4), so that it tells nothing: not even when the person was first seen. */
export type SubjectId = string;

interface Name {
  account: string;
  pseudonym: Buffer;
  key: string;
}

/** What a new subject would be; the vault takes it if nobody was faster. */
interface Offer extends Name {
  id: SubjectId;
  secret: Buffer;
  wrapped: Buffer;
}

interface NameRow {
  account: string;
  pseudonym: Buffer;
  subject: SubjectId;
}

/** Leads from people to subjects, and makes a subject of whoever is new to the account. For doors only. */
export class Subjects {
  private readonly batcher: Batcher<Name, SubjectId>;

  constructor(
    private readonly database: VaultDatabase,
    private readonly cache: KeyCache,
    private readonly keyWrap: KeyWrap,
    private readonly pseudonyms: Pseudonyms,
    private readonly source: KeySource,
    limits: LoaderLimits,
  ) {
    this.batcher = new Batcher(
      { maxItems: limits.batch, maxQueued: limits.queued, lingerMs: 0, concurrency: 1 },
      (names) => this.resolve(names),
    );
  }

  async of(account: string, normalForms: string[]): Promise<SubjectId[]> {
    const pseudonyms = await this.pseudonyms.of(account, normalForms);
    const trusted = this.source.trusted();
    return Promise.all(
      pseudonyms.map(async (pseudonym) => {
        const key = keyOf(account, pseudonym);
        return (trusted ? this.cache.name(key) : undefined) ?? (await this.batcher.add({ account, pseudonym, key }));
      }),
    );
  }

  /** Those who are subjects of the account already; who is not is not made. */
  async known(account: string, normalForms: readonly string[]): Promise<(SubjectId | undefined)[]> {
    const pseudonyms = await this.pseudonyms.of(account, normalForms);
    const rows = await this.database.call<NameRow>('find_subjects', [pseudonyms.map(() => account), pseudonyms]);
    const found = keyed(rows);
    return pseudonyms.map((pseudonym) => found.get(keyOf(account, pseudonym)));
  }

  /** Notes that these are in use today; answers those that are still there. */
  async useKnown(subjects: readonly SubjectId[]): Promise<Set<SubjectId>> {
    const rows = await this.database.call<{ subject: SubjectId }>('use_known', [[...subjects]]);
    return new Set(rows.map(({ subject }) => subject));
  }

  /** Notes that these people are in use today; who is unknown is not made. */
  async use(account: string, pseudonyms: readonly Buffer[]): Promise<void> {
    await this.database.call('use_subjects', [account, [...pseudonyms]]);
  }

  /** Whom an erasure fenced, and under which names, until it is over. */
  fenced(requestId: string): Promise<{ subject: SubjectId | null; pseudonym: Buffer }[]> {
    return this.database.call('fenced_pseudonyms', [requestId]);
  }

  private resolve(names: Name[]): Promise<(SubjectId | Error)[]> {
    return this.source.load(
      () => this.findOrCreate(names),
      ({ subjects, offers }, revoked) => {
        for (const { key, id, secret } of offers) {
          // Ours if nobody was faster; what is sealed next finds it in the cache.
          if (subjects.get(key) === id && !revoked('subject', id)) this.cache.subjects.set(id, held(secret));
          else secret.fill(0);
        }
        return names.map(({ key }) => {
          const subject = subjects.get(key);
          // Without an account there is no name.
          if (subject === undefined) return new ForgottenError('account');
          if (revoked('subject', subject)) return new ForgottenError('subject');
          this.cache.keepName(key, subject);
          return subject;
        });
      },
    );
  }

  private async findOrCreate(names: Name[]): Promise<{ subjects: Map<string, SubjectId>; offers: Offer[] }> {
    const wanted = [...new Map(names.map((name) => [name.key, name])).values()];
    const found = keyed(await this.database.call<NameRow>('find_subjects', columns(wanted)));
    const missing = wanted.filter(({ key }) => !found.has(key));
    if (missing.length === 0) return { subjects: found, offers: [] };
    const offers = missing.map((name) => ({ ...name, id: randomUUID(), ...this.keyWrap.generate() }));
    const made = await this.database.call<NameRow>('create_subjects', [
      ...columns(missing),
      offers.map(({ id }) => id),
      offers.map(({ wrapped }) => wrapped),
    ]);
    return { subjects: new Map([...found, ...keyed(made)]), offers };
  }
}

function keyOf(account: string, pseudonym: Buffer): string {
  return `${account}/${pseudonym.toString('base64url')}`;
}

function keyed(rows: NameRow[]): Map<string, SubjectId> {
  return new Map(rows.map(({ account, pseudonym, subject }) => [keyOf(account, pseudonym), subject]));
}

function columns(names: Name[]): [string[], Buffer[]] {
  return [names.map(({ account }) => account), names.map(({ pseudonym }) => pseudonym)];
}
