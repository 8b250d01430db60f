import type { DoNotContact } from '@lethe/contracts';

/** As the API shows it, in this order; `cancelled` and `refused` end it early. */
export const STATES = [
  'received',
  'identified',
  'executing',
  'verifying',
  'completed',
  'cancelled',
  'refused',
] as const;
export type State = (typeof STATES)[number];

/** Types of the contract that are served. `account-erasure` is nobody's order here: it comes of closing an account. */
export const TYPES = ['erasure', 'account-erasure'] as const;
export type RequestType = (typeof TYPES)[number];

/** What the worker does next: each is a file in `steps/`. Finer than the state, and kept with it, so that a kill loses nothing. */
export type Stage =
  | 'hold'
  | 'cut-off'
  | 'fence'
  | 'barrier'
  | 'survey'
  | 'erase'
  | 'release'
  | 'destroy'
  | 'verify'
  | 'certify'
  | 'close'
  | 'done';

/** End offsets by topic (without prefix) and partition. */
export type Ends = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** An unfinished request as its steps see it. */
export interface OpenRequest {
  readonly id: string;
  readonly accountId: string;
  readonly type: RequestType;
  readonly state: State;
  readonly stage: Stage;
  readonly doNotContact: DoNotContact;
  readonly receivedAt: Date;
  readonly cutOff: Date | null;
  /** Of a closed account, its domains. */
  readonly domains: readonly string[];
  readonly barrier: Ends | null;
  readonly ledgerPosition: number | null;
  readonly unreadableAt: Date | null;
  readonly expungedAt: Date | null;
  /** Of the holders' answers to the present stage, where it is one that holders answer. */
  readonly answers: {
    /** Rows there are: none before the first time of asking. */
    readonly asked: number;
    readonly missing: number;
    /** When the next of the missing ones is to be asked (again). */
    readonly askAt: Date | null;
  };
}

/** Steps that all holders answer, in the order of a request's way; their stage has the same name. */
export const ASKED_STEPS = ['fence', 'survey', 'erase', 'verify'] as const;
export type AskedStep = (typeof ASKED_STEPS)[number];
