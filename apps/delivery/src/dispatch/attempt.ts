import type { FailedEvent, MailAccepted } from '@lethe/contracts';

/** One try to deliver one message to one recipient. */
export interface Attempt {
  record: MailAccepted;
  /** From 1. Counts attempts that ended; one that never got to ask a server counts once. */
  number: number;
  /** An earlier attempt may have delivered it already. */
  maybeDuplicate: boolean;
}

/** What the world said. `text` (addresses masked) and `host` are personal: sealed before they leave the process. */
export interface Answer {
  /** SMTP reply code, or the platform's (contracts: deliveryStatus). */
  code: number;
  enhancedCode?: string;
  text?: string;
  host?: string;
  tls: boolean;
  /** Whether the server's certificate proved that it is the one that was meant. */
  verified: boolean;
  sessionSeconds: number;
}

export type Outcome =
  | { kind: 'delivered'; answer: Answer }
  | {
      kind: 'failed';
      severity: FailedEvent['severity'];
      reason: FailedEvent['reason'];
      answer: Answer;
      /** The server may have taken the message nevertheless. */
      ambiguous: boolean;
      /** There is no such mailbox or domain: `suppression` makes an entry of it. */
      noSuchMailbox?: boolean;
    }
  /** The person, the account or the message is gone: nothing is sent and nothing is said. */
  | { kind: 'forgotten' }
  /**
   * Nothing was tried: it is not to be sent before then (epoch ms), or before that pause is over. It waits in the queue: nothing that
   * is done here makes it possible, and Kafka's places are for mail that can go.
   */
  | { kind: 'waits'; until: number; pausedBy?: string }
  /** Nothing was tried: what is needed for it is away or taken. The attempt still stands before us. */
  | { kind: 'later'; reason: LaterReason; afterMs: number };

export const LATER_REASONS = ['not-fresh', 'unknown-domain', 'busy', 'memory', 'store-away'] as const;
export type LaterReason = (typeof LATER_REASONS)[number];

/** No server was asked. */
export const noSession = (code: number, enhancedCode?: string, text?: string): Answer => ({
  code,
  ...(enhancedCode === undefined ? {} : { enhancedCode }),
  ...(text === undefined ? {} : { text }),
  tls: false,
  verified: false,
  sessionSeconds: 0,
});
