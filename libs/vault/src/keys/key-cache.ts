import type { KeyObject } from 'node:crypto';
import type { RecordKey } from '../crypto/record-key.ts';
import { Lru } from './lru.ts';
import type { RevokedKind } from './revocations.ts';

/** Keys derived from one secret that are kept with it; more periods than this of one person are rarely at work at once. */
const DERIVED_PER_SECRET = 16;
/** Periods of all classes that can be in force are some two hundred. */
const MAX_PERIODS = 512;

export interface CacheSizes {
  subjects: number;
  accounts: number;
  contentKeys: number;
}

/** A secret in use. `gone` once it left the cache: its bytes are zeros then and must not be used. */
export interface HeldSecret {
  readonly bytes: Buffer;
  gone: boolean;
  /** By what completes them: period, and account for a subject's. */
  readonly derived: Map<string, RecordKey>;
}

export interface HeldPeriod extends HeldSecret {
  readonly until: number;
}

interface HeldContentKey extends HeldSecret {
  readonly dropAt: number;
}

interface HeldName {
  subject: string;
  /** Day since the epoch on which the vault noted its use. */
  day: number;
}

/** Unwrapped secrets in memory, bounded; zeroed when they leave. Derived keys live inside OpenSSL, which clears them. */
export class KeyCache {
  readonly subjects: Lru<HeldSecret>;
  readonly accounts: Lru<HeldSecret>;
  readonly periods = new Lru<HeldPeriod>(MAX_PERIODS, zero);
  readonly contentKeys: Lru<HeldContentKey>;
  readonly pseudonymKeys: Lru<KeyObject>;
  private readonly names: Lru<HeldName & { key: string }>;
  private readonly nameOf = new Map<string, string>();
  /** Counts what was revoked, so that an answer already under way is not kept; see `beginLoad`. */
  private revocations: string[] = [];
  private loads = 0;
  /** How often everything under way became doubtful. */
  private clears = 0;

  constructor(sizes: CacheSizes) {
    this.subjects = new Lru(sizes.subjects, zero);
    this.accounts = new Lru(sizes.accounts, zero);
    this.contentKeys = new Lru<HeldContentKey>(sizes.contentKeys, zero);
    this.pseudonymKeys = new Lru(sizes.accounts);
    this.names = new Lru(sizes.subjects, ({ subject }) => this.nameOf.delete(subject));
  }

  name(key: string): string | undefined {
    const held = this.names.get(key);
    return held?.day === today() ? held.subject : undefined;
  }

  keepName(key: string, subject: string): void {
    this.names.set(key, { key, subject, day: today() });
    this.nameOf.set(subject, key);
  }

  period(id: string): HeldPeriod | undefined {
    const held = this.periods.get(id);
    return held !== undefined && Date.now() < held.until ? held : undefined;
  }

  /** `until`, epoch ms: when the vault forgets it. */
  keepPeriod(id: string, bytes: Buffer, until: number): void {
    this.periods.set(id, { ...held(bytes), until });
  }

  revoke(kind: RevokedKind, id: string): void {
    if (this.loads > 0) this.revocations.push(`${kind} ${id}`);
    if (kind === 'subject') {
      this.subjects.delete(id);
      const name = this.nameOf.get(id);
      if (name !== undefined) this.names.delete(name);
    } else if (kind === 'message') {
      this.contentKeys.delete(id);
    } else if (kind === 'condemned') {
      // Who may still have it reads it again; an answer under way may be from before.
      this.contentKeys.delete(id);
      this.clears += 1;
    } else if (kind === 'dropped') {
      this.contentKeys.deleteWhere(({ dropAt }) => dropAt <= Date.parse(id));
    } else {
      // Rare, and it concerns keys derived from every subject: all of them go.
      this.clear();
    }
  }

  clear(): void {
    this.clears += 1;
    for (const cache of [this.subjects, this.accounts, this.periods, this.contentKeys]) cache.clear();
    this.pseudonymKeys.clear();
    this.names.clear();
  }

  /**
   * Marks the start of a load. Its answer may have been read before a revocation that is heard while it is under way:
   * `fresh()` tells whether everything was cleared meanwhile (load again), `revoked` whether one key was.
   */
  beginLoad(): { fresh: () => boolean; revoked: (kind: RevokedKind, id: string) => boolean; end: () => void } {
    const { clears } = this;
    const from = this.revocations.length;
    this.loads += 1;
    return {
      fresh: () => this.clears === clears,
      revoked: (kind, id) => this.revocations.includes(`${kind} ${id}`, from),
      end: () => {
        this.loads -= 1;
        if (this.loads === 0) this.revocations = [];
      },
    };
  }
}

export function held(bytes: Buffer): HeldSecret {
  return { bytes, gone: false, derived: new Map() };
}

/** The derived key of that name, made if need be. The oldest gives way. */
export function derivedFrom(secret: HeldSecret, name: string, make: () => RecordKey): RecordKey {
  let key = secret.derived.get(name);
  if (key === undefined) {
    key = make();
    if (secret.derived.size >= DERIVED_PER_SECRET) {
      secret.derived.delete(secret.derived.keys().next().value as string);
    }
    secret.derived.set(name, key);
  }
  return key;
}

function zero(secret: HeldSecret): void {
  secret.bytes.fill(0);
  secret.gone = true;
  secret.derived.clear();
}

function today(): number {
  return Math.floor(Date.now() / 86_400_000);
}
