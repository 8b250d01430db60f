import type { SuppressionEntry } from '@lethe/contracts';

export type Reason = SuppressionEntry['reasons'][number];

/** What a published entry is about: everything known of one person within a domain, or an account as a whole. */
export interface EntryKey {
  /** The domain, or the account for `do-not-contact`. */
  readonly scopeId: string;
  readonly pseudonym: Buffer;
}

/** One reason not to mail one person. */
export interface Entry extends EntryKey {
  readonly reason: Reason;
  /** Opaque; what the sealed part is bound to. */
  readonly id: string;
  readonly accountId: string;
  /** Null where an erasure left nothing but the pseudonym. */
  readonly subjectId: string | null;
  /** Sealed part `suppression` under the subject's key; null with the subject. */
  readonly sealed: string | null;
  readonly createdAt: Date;
}

/** A row as the database gives it. */
export interface EntryRow {
  scope_id: string;
  reason: Reason;
  pseudonym: Buffer;
  id: string;
  account_id: string;
  subject_id: string | null;
  sealed: string | null;
  created_at: Date;
}

export const entryOf = (row: EntryRow): Entry => ({
  scopeId: row.scope_id,
  reason: row.reason,
  pseudonym: row.pseudonym,
  id: row.id,
  accountId: row.account_id,
  subjectId: row.subject_id,
  sealed: row.sealed,
  createdAt: row.created_at,
});

export const pseudonymsOf = (entries: readonly EntryKey[]): Buffer[] => entries.map(({ pseudonym }) => pseudonym);

/** For maps: a key that two equal entry keys share. */
export const keyText = ({ scopeId, pseudonym }: EntryKey): string => `${scopeId}/${pseudonym.toString('base64url')}`;
