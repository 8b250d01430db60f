import type { DoNotContact, HolderService } from '@lethe/contracts';
import type { RequestType } from './request.ts';

/** Numbers of records by kind, such as `{ event: 12 }`. */
export type Counts = Readonly<Record<string, number>>;

/** What one holder answered; how its counts come about is in `holders/tally.ts`. */
export interface HolderResult {
  readonly service: HolderService;
  readonly found: Counts;
  readonly removed: Counts;
  /** What its last look found left: empty, or the request would not be over. */
  readonly residual: Counts;
  /** When its erasure was acknowledged. */
  readonly acknowledgedAt: Date;
  /** When it had looked again. */
  readonly verifiedAt: Date;
  /** Since when the bytes are out of its files too, where it can say that. */
  readonly expungedAt: Date | null;
}

/** What stays for a while after an erasure. */
export interface Kept {
  readonly what: 'body' | 'do-not-contact';
  readonly count: number;
  /** `others-waiting`: the message is still being sent to somebody else. `do-not-contact`: a pseudonym that blocks further mail. */
  readonly why: 'others-waiting' | 'do-not-contact';
  /** `null`: until the controller removes it. */
  readonly until: Date | null;
}

/** A request all of whose holders have answered and looked again: what a certificate says. */
export interface CompletedRequest {
  readonly id: string;
  readonly accountId: string;
  readonly type: RequestType;
  readonly scope:
    | {
        /** Everything of the subjects towards the account until the cut-off. */
        readonly of: 'subjects';
        readonly doNotContact: DoNotContact;
        /** Addresses and aliases together. */
        readonly identifiers: number;
      }
    /** Everything of the account, which is closed: of it, and of everybody towards it. */
    | { readonly of: 'account' };
  readonly cutOff: Date;
  readonly subjects: {
    readonly count: number;
    /**
     * SHA-256(salt ‖ normal form of the address), base64url, one per subject in the order of the request. The salts were told to
     * the requester alone.
     */
    readonly digests: readonly string[];
    /** The same of each subject's aliases, with the subject's salt. */
    readonly aliasDigests: readonly (readonly string[])[];
  };
  readonly holders: readonly HolderResult[];
  readonly keysDestroyed: { readonly subjects: number; readonly contentKeys: number };
  /** The keys were destroyed: whatever copies there are open no more. */
  readonly unreadableAt: Date;
  /** The wrapped keys' own bytes, and what holders deleted, are out of the files. */
  readonly expungedAt: Date;
  readonly kept: readonly Kept[];
  readonly receivedAt: Date;
  readonly completedAt: Date;
}
