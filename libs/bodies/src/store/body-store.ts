import type { ClientBase } from 'pg';

export interface BodyRef {
  messageId: string;
  /** A bucket boundary: `dropTime`. */
  dropAt: Date;
}

/** A message's sealed body. */
export interface SealedBody extends BodyRef {
  /** What `sealBody` answered. */
  sealed: Buffer[];
}

/** A transaction in the database of `ingest`: that of the messages whose bodies these are. */
export type Transaction = Pick<ClientBase, 'query'>;

/** When each was accepted. */
export interface Oldest {
  readonly body: Date | null;
  readonly instructed: Date | null;
}

/** Which of these messages there are. */
export type Known = (messageIds: readonly string[]) => Promise<ReadonlySet<string>>;

/**
 * Sealed bodies by message and drop time; it never sees a key or a plaintext. Accepting is `prepare`, then `insertMany` in the
 * transaction of the messages, then `discard` for those that were not committed: once that transaction is durable, so are they.
 */
export abstract class BodyStore {
  /**
   * For how long a body is kept at most, in milliseconds, whatever its account says; `instructed`: whose account has instructed us in
   * writing to keep it for longer than the limit of all others.
   */
  abstract readonly longestMs: { readonly body: number; readonly instructed: number };

  /** Before the transaction that accepts the messages: what cannot be in it. */
  abstract prepare(bodies: readonly SealedBody[]): Promise<void>;

  /** In that transaction, which fails if this does. */
  abstract insertMany(client: Transaction, bodies: readonly SealedBody[]): Promise<void>;

  /** Takes back what was prepared and, for certain, is not committed. */
  abstract discard(refs: readonly BodyRef[]): Promise<void>;

  /** The whole sealed body; ForgottenError if it is gone. */
  abstract read(messageId: string, dropAt: Date): Promise<Buffer>;

  /** Part by part, for what is large. ForgottenError if it is gone. */
  abstract stream(messageId: string, dropAt: Date): AsyncIterable<Buffer>;

  /**
   * Removes bodies before their time, in the transaction that removes their messages; answers how many there were. Their content keys
   * are destroyed separately: that is what makes every copy unreadable.
   */
  abstract shredMany(client: Transaction, refs: readonly BodyRef[]): Promise<number>;

  /** How many of these there are. */
  abstract count(refs: readonly BodyRef[]): Promise<number>;

  /** For the owner, again and again: the store is ready for what is about to be accepted. */
  abstract makeAhead(): Promise<void>;

  /** For the owner, again and again: drops what is past its time; answers how many drop times. What cannot go now goes next time. */
  abstract dropDue(): Promise<number>;

  /** For the owner, again and again: drops what was prepared by somebody who did not come to commit it; answers how many. */
  abstract dropOrphans(known: Known): Promise<number>;

  /** When the oldest body was accepted, and the oldest of those that are kept for longer by an instruction; null without any. */
  abstract oldest(): Promise<Oldest>;

  /** Whether it can be read this moment: for readiness. */
  abstract answers(): Promise<boolean>;

  abstract close(): Promise<void>;
}
