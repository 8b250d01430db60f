import type { DoNotContact, EraseReply, Reading } from '@lethe/contracts';

/** Whom a command is about: subjects of one account, cut off at `cutOff` (epoch ms). */
export interface Scope {
  readonly requestId: string;
  readonly accountId: string;
  readonly subjects: ReadonlySet<string>;
  readonly cutOff: number;
}

export interface ErasureScope extends Scope {
  readonly doNotContact: DoNotContact;
}

/** An account that is closed: all that is held of it, of whomever and for whomever. */
export interface ClosingScope {
  readonly requestId: string;
  readonly accountId: string;
  /** What is kept by domain goes by these: the domains themselves may be gone already. */
  readonly domains: readonly string[];
  readonly cutOff: number;
}

/** Numbers of records by kind (`{ event: 12 }`); kinds without any are left out. */
export type Counts = Readonly<Record<string, number>>;

/** `expungedAt`, epoch ms: since when the bytes are out of the files too, where a holder can say that. */
export type Erased = Pick<EraseReply, 'found' | 'removed' | 'expungedAt'>;

/**
 * What every service that holds personal data does for a person's rights (design §8, Art. 17 and 28(3)(e) GDPR); it lives in
 * the service's `privacy/` folder and passes `@lethe/privacy-holder/conformance`.
 *
 * Every method may be called again at any time, also after a kill in its midst, and then finishes what is left. One that throws
 * is called again later. A holder deals with records by subject id and account; it never sees an address.
 */
export abstract class PersonalDataHolder {
  /**
   * Resolves once nothing about the subjects that this service began before their cut-off can still be sent, written or
   * published by it. Their keys are refused already, so nothing new begins.
   */
  abstract fence(scope: Scope): Promise<void>;

  /**
   * Removes every record of the subjects, and their part of records of others, which stay as they are otherwise. `found` is what
   * this call met, `removed` what is gone; a second call finds nothing.
   */
  abstract erase(scope: ErasureScope): Promise<Erased>;

  /**
   * Looks, by another way than `erase` where there is one, and changes nothing: what is there. It is asked before `erase`, for what
   * a repeated erasure cannot tell any more, and at the end, for what is left: so it counts the kinds of `erase` in its units.
   */
  abstract verify(scope: Scope): Promise<Counts>;

  /**
   * The account is closed: its secret is gone, so nothing of it is opened or sealed any more. Resolves once nothing of it that this
   * service began before can still be sent, written or published.
   */
  abstract fenceAccount(scope: ClosingScope): Promise<void>;

  /** Removes every record of the account. Counted, and repeated, like `erase`. */
  abstract eraseAccount(scope: ClosingScope): Promise<Erased>;

  /** Looks like `verify`, for all of the account. */
  abstract verifyAccount(scope: ClosingScope): Promise<Counts>;

  /** The oldest record of each of its stores that has a limit; `measureTables` does it for tables. */
  abstract measure(): Promise<Reading[]>;

  /** Which of the messages are still being sent to anyone. Of `delivery` alone. */
  inFlight?(messages: readonly string[]): Promise<string[]>;
}
