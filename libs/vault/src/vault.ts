import { KeyWrap } from './crypto/key-wrap.ts';
import { ContentKeys } from './content/content-keys.ts';
import type { ContentKeyOf } from './content/content-keys.ts';
import { KeyCache } from './keys/key-cache.ts';
import { KeySource } from './keys/key-source.ts';
import { Revocations } from './keys/revocations.ts';
import type { RevokedKind } from './keys/revocations.ts';
import { SecretLoader } from './keys/secret-loader.ts';
import { VaultDatabase } from './keys/vault-database.ts';
import { orForgotten, Sealing } from './sealing/sealing.ts';
import type { AccountSeal, Expected, Forgotten, SubjectSeal } from './sealing/sealing.ts';
import { Pseudonyms } from './subjects/pseudonyms.ts';
import { Subjects } from './subjects/subjects.ts';
import type { SubjectId } from './subjects/subjects.ts';

export interface VaultOptions {
  /** PostgreSQL URL of this service's role in the vault. */
  url: string;
  /** Key-encryption key, 32 bytes (`readKek`). */
  kek: Buffer;
  /** Connections for reading and making keys, besides the one that hears revocations. Default 3. */
  connections?: number;
  /** Subjects, accounts and content keys kept unwrapped in memory. Default 20,000, 2,000, 2,000. */
  cachedSubjects?: number;
  cachedAccounts?: number;
  cachedContentKeys?: number;
  /** Most keys in one SQL call. Default 500. */
  batch?: number;
  /** Most keys waited for at once; more are refused with OverloadedError. Default 50,000. */
  queued?: number;
  /** How long a call waits for an answer, or for revocations to be heard again, in milliseconds. Default 2,000. */
  timeoutMs?: number;
}

/**
 * Subjects, keys, sealing and opening: all of a service's dealings with the vault. Every call rejects with ForgottenError
 * (final: the keys are gone), VaultUnavailableError (try again), SealError (a value that is not what it should be), or
 * VaultSetupError.
 */
export class Vault {
  private readonly database: VaultDatabase;
  private readonly keyWrap: KeyWrap;
  private readonly cache: KeyCache;
  private readonly revocations: Revocations;
  private readonly sealing: Sealing;
  private readonly names: Pseudonyms;
  private readonly subjects: Subjects;
  private readonly contentKeys: ContentKeys;
  private readonly listeners: ((kind: RevokedKind, id: string) => void)[] = [];
  private readonly lapseListeners: (() => void)[] = [];

  constructor(options: VaultOptions) {
    const { url, kek, connections = 3, batch = 500, queued = 50_000, timeoutMs = 2000 } = options;
    this.keyWrap = new KeyWrap(kek);
    this.database = new VaultDatabase(url, { connections, timeoutMs });
    this.cache = new KeyCache({
      // Two batches under way must fit, or one would push the other out before it is used.
      subjects: Math.max(options.cachedSubjects ?? 20_000, 4 * batch),
      accounts: Math.max(options.cachedAccounts ?? 2000, 4 * batch),
      contentKeys: options.cachedContentKeys ?? 2000,
    });
    this.revocations = new Revocations(url, {
      revoked: (kind, id) => {
        this.cache.revoke(kind, id);
        for (const listener of this.listeners) listener(kind, id);
      },
      lapsed: () => {
        this.cache.clear();
        for (const listener of this.lapseListeners) listener();
      },
    });
    const source = new KeySource(this.revocations, this.cache, timeoutMs);
    const parts = [this.database, this.cache, this.keyWrap] as const;
    const limits = { batch, queued };
    const loader = new SecretLoader(...parts, source, limits);
    this.sealing = new Sealing(this.cache, loader, source);
    this.names = new Pseudonyms(...parts, source, limits);
    this.subjects = new Subjects(...parts, this.names, source, limits);
    this.contentKeys = new ContentKeys(...parts, source, limits);
  }

  /** Begins to listen for revocations; calls made before it is heard wait. */
  start(): void {
    this.revocations.start();
  }

  /** Resolves once the vault can be used, or rejects with VaultUnavailableError. */
  ready(timeoutMs = 10_000): Promise<void> {
    return this.revocations.regained(timeoutMs);
  }

  /** Whether keys can be used this moment: for readiness. */
  healthy(): boolean {
    return this.revocations.trusted();
  }

  /** Why not, if not: for readiness. */
  state(): 'open' | 'closed' | 'not-connected' {
    if (this.revocations.trusted()) return 'open';
    return this.revocations.vaultClosed() ? 'closed' : 'not-connected';
  }

  /**
   * Calls `listener`, which must not throw, with each revocation as it is heard. What is revoked while the connection is away is
   * not told: `onLapsed` says that something may have been missed, and the next call about a key that it is gone.
   */
  onRevoked(listener: (kind: RevokedKind, id: string) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Calls `listener`, which must not throw, when revocations may have been missed: whoever goes on with what it was allowed
   * before asks again. Noticed at the latest when it is over; `healthy()` notices it at once.
   */
  onLapsed(listener: () => void): void {
    this.lapseListeners.push(listener);
  }

  async close(): Promise<void> {
    this.revocations.close();
    this.cache.clear();
    await this.database.close();
  }

  /** Makes the account's secrets, once; safe to repeat. For the service that owns accounts. */
  async ensureAccount(accountId: string): Promise<void> {
    await this.database.call('create_account', [
      accountId,
      this.keyWrap.generateWrapped(),
      this.keyWrap.generateWrapped(),
    ]);
  }

  /** Subject ids in the order of the normal forms; makes those that are new to the account. For doors. */
  subjectsFor(accountId: string, normalForms: string[]): Promise<SubjectId[]> {
    return this.subjects.of(accountId, normalForms);
  }

  /** The same without making anybody: undefined in place of who is no subject of the account. For doors. */
  knownSubjects(accountId: string, normalForms: readonly string[]): Promise<(SubjectId | undefined)[]> {
    return this.subjects.known(accountId, normalForms);
  }

  /** 32 bytes: the key of a suppression entry. Never stored beside an address, never logged. */
  async pseudonym(accountId: string, normalForm: string): Promise<Buffer> {
    const [pseudonym] = await this.names.of(accountId, [normalForm]);
    return pseudonym as Buffer;
  }

  /** The same for many, in order. */
  pseudonyms(accountId: string, normalForms: readonly string[]): Promise<Buffer[]> {
    return this.names.of(accountId, normalForms);
  }

  /** HMAC-SHA-256 under the account's pseudonym key, of text that is no address; `purpose` keeps uses apart. */
  keyedHash(accountId: string, purpose: string, text: string): Promise<Buffer> {
    return this.names.hash(accountId, purpose, text);
  }

  /** Notes the day of use of those whom standing data refers to: they are not forgotten for disuse. For doors. */
  useSubjects(accountId: string, pseudonyms: readonly Buffer[]): Promise<void> {
    return this.subjects.use(accountId, pseudonyms);
  }

  /**
   * The same as `useSubjects` for standing data that has no pseudonyms, of any account, at most a batch (500). Answers those that
   * are there; what the others had sealed nobody opens any more. For lists.
   */
  useKnownSubjects(subjects: readonly SubjectId[]): Promise<Set<SubjectId>> {
    return this.subjects.useKnown(subjects);
  }

  /** Whom that erasure fenced, under which pseudonyms, and those that led to nobody; none once it is over. For suppression. */
  fencedPseudonyms(requestId: string): Promise<{ subject: SubjectId | null; pseudonym: Buffer }[]> {
    return this.subjects.fenced(requestId);
  }

  /** Seals what JSON can express under a subject's key; answers a compact JWE. */
  seal(seal: SubjectSeal, value: unknown): Promise<string> {
    return this.sealing.seal(seal, value);
  }

  /** All or none. */
  sealMany(items: { seal: SubjectSeal; value: unknown }[]): Promise<string[]> {
    return Promise.all(items.map(({ seal, value }) => this.sealing.seal(seal, value)));
  }

  /** Opens a subject's value. Subject and period are read from its authenticated header. */
  open<T = unknown>(jwe: string, expected: Expected): Promise<T> {
    return this.sealing.open(jwe, expected, 'subject') as Promise<T>;
  }

  /** FORGOTTEN in place of what is; any other failure rejects the whole. */
  openMany<T = unknown>(items: { jwe: string; expected: Expected }[]): Promise<(T | Forgotten)[]> {
    return Promise.all(items.map(({ jwe, expected }) => orForgotten(this.open<T>(jwe, expected))));
  }

  /** For what belongs to the account and not to a person: DKIM keys, what customers type. */
  sealForAccount(seal: AccountSeal, value: unknown): Promise<string> {
    return this.sealing.seal(seal, value);
  }

  openForAccount<T = unknown>(jwe: string, expected: Expected): Promise<T> {
    return this.sealing.open(jwe, expected, 'account') as Promise<T>;
  }

  /** 32 bytes each, in order, in one call of the vault. `dropAt`: see `dropTime` of `@lethe/bodies`. */
  createContentKeys(messages: ContentKeyOf[]): Promise<Buffer[]> {
    return this.contentKeys.create(messages);
  }

  contentKey(messageId: string, dropAt: Date): Promise<Buffer> {
    return this.contentKeys.get({ messageId, dropAt });
  }

  /** Their keys are answered to delivery alone from now on; see `ContentKeys.condemn`. For ingest. */
  condemnContentKeys(requestId: string, messages: readonly ContentKeyOf[]): Promise<void> {
    return this.contentKeys.condemn(requestId, messages);
  }

  /** Nobody needs their keys any more: `privacy` destroys them. Safe to repeat. For delivery. */
  giveUpContentKeys(messages: readonly ContentKeyOf[]): Promise<void> {
    return this.contentKeys.giveUp(messages);
  }
}
