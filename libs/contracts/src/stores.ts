import type { PersonalCategory, SealedType } from './fields.ts';
import type { RetentionClass } from './retention.ts';
import type { Service } from './services.ts';

/**
 * The data map's other half (design §8): tables and indices, as contracts are for topics. Every column is marked where its
 * table is declared, every store has an owner and a limit; CI compares the declarations with what migrations really make.
 */
export type ColumnMark =
  /** Ids, times, counts, codes, names published in DNS: nothing about a person. */
  | { kind: 'opaque' | 'instant' | 'count' | 'code' | 'flag' | 'public-name' }
  /** A keyed hash of an address (Art. 4(5) GDPR): still personal, and only ever in the vault, in suppressions and where users sign in. */
  | { kind: 'pseudonym' }
  /** A wrapped key of the vault. */
  | { kind: 'key' }
  | { kind: 'sealed'; types: readonly SealedType[] }
  /** A message's sealed body, under its content key. */
  | { kind: 'sealed-body' }
  /** In clear: Elasticsearch's indices alone. */
  | { kind: 'personal'; category: PersonalCategory };

export const column = {
  opaque: { kind: 'opaque' },
  instant: { kind: 'instant' },
  count: { kind: 'count' },
  code: { kind: 'code' },
  flag: { kind: 'flag' },
  publicName: { kind: 'public-name' },
  pseudonym: { kind: 'pseudonym' },
  key: { kind: 'key' },
  body: { kind: 'sealed-body' },
  sealed: (...types: SealedType[]): ColumnMark => ({ kind: 'sealed', types }),
} as const;

/** When what a store holds is gone. Limits are upper bounds of a record's age (design §7). */
export type Limit =
  | {
      /** Of contracts' `RETENTION`, or a class that only this store has, such as `idempotency`. */
      readonly class: RetentionClass | (string & {});
      readonly limitMs: number;
      /** What removes it. */
      readonly mechanism: string;
    }
  /** No time limit: until something happens, said in words. */
  | { readonly until: string };

export interface StoreDeclaration {
  /** As readings name it: `<owner>.<table>`; of an index `events.index-<class>`. */
  readonly store: string;
  readonly owner: Service;
  /** Services that read it besides its owner: of the body store and the vault alone. */
  readonly readers?: readonly Service[];
  readonly kind: 'table' | 'index' | 'keys';
  /** What it holds, and what for, in a line: it stands so in the data map. */
  readonly what: string;
  readonly limit: Limit;
  /** Of a table: schema and name in its database, `public.message`. Partitions belong to their parent. */
  readonly table?: string;
  /** Of a table with a time limit: the column that says since when a record is there; its smallest value is the reading. */
  readonly age?: string;
  /**
   * The column that says until when a record is there, where an account's written instruction may make that later than the limit: what
   * is there for longer is read by itself, as class `instructed`.
   */
  readonly instructedUntil?: string;
  readonly columns: Readonly<Record<string, ColumnMark>>;
}

/** Whether a store has a limit that can be measured. */
export const isLimited = (limit: Limit): limit is Extract<Limit, { limitMs: number }> => 'limitMs' in limit;
