import { createHash } from 'node:crypto';

/** A message's content key: `dropAt` names its bucket. */
export interface DoomedKey {
  readonly messageId: string;
  readonly dropAt: Date;
}

/**
 * What is to be destroyed. `erasure`: of a request; `account`: everything of the account, which is closed; `release`: as earlier versions noted what
 * `ReleasedRepository` does.
 */
export interface Doom {
  readonly kind: 'erasure' | 'release' | 'account';
  readonly requestId: string;
  readonly accountId: string | null;
  readonly subjects: readonly string[];
  readonly messages: readonly DoomedKey[];
}

export interface LedgerEntry extends Doom {
  readonly position: number;
  readonly at: Date;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
}

/** Before the first entry. */
export const NO_HASH: Buffer = Buffer.alloc(32);

/** Over everything an entry says and the hash before it, so that none can be changed, taken out or put between. */
export function entryHash(entry: Omit<LedgerEntry, 'hash'>): Buffer {
  const said = [
    entry.position,
    entry.kind,
    entry.requestId,
    entry.accountId,
    entry.subjects,
    entry.messages.map(({ messageId, dropAt }) => [messageId, dropAt.getTime()]),
    entry.at.getTime(),
    entry.previousHash.toString('hex'),
  ];
  return createHash('sha256').update(JSON.stringify(said)).digest();
}
