import type { MailAccepted, SuppressionEntry } from '@lethe/contracts';
import type { Hold } from '../holding/hold.entity.ts';
import { noSession, type Outcome } from './attempt.ts';

/** What was allowed so long ago is asked again before the first word to a server (design §5: in force after 1 s). */
export const ALLOWED_FOR_MS = 250;

type SuppressionReason = SuppressionEntry['reasons'][number];

/** Mailgun's words and codes for mail that is not sent because someone said stop, the gravest first. */
const SUPPRESSED = [
  ['do-not-contact', 'suppress-unsubscribe', 606],
  ['complaint', 'suppress-complaint', 607],
  ['unsubscribe', 'suppress-unsubscribe', 606],
  ['bounce', 'suppress-bounce', 605],
] as const satisfies readonly (readonly [SuppressionReason, string, number])[];

/**
 * Art. 21(3) GDPR, § 7 UWG: who said stop is not mailed again. `entries`: the domain's, and the account's, which an erasure
 * leaves for all its domains. Undefined: nothing is in the way.
 */
export function suppressed(entries: readonly (SuppressionEntry | undefined)[]): Outcome | undefined {
  const hit = SUPPRESSED.find(([reason]) => entries.some((entry) => entry?.reasons.includes(reason)));
  if (!hit) return undefined;
  const [, reason, code] = hit;
  return {
    kind: 'failed',
    severity: 'permanent',
    reason,
    answer: noSession(code, undefined, 'Not delivering to a suppressed address'),
    ambiguous: false,
  };
}

/** The sender may not send any more. */
export const SENDING_DISABLED: Outcome = {
  kind: 'failed',
  severity: 'permanent',
  reason: 'generic',
  answer: noSession(550, '5.7.1', 'Sending is disabled for this domain'),
  ambiguous: false,
};

/** Whoever sent it has called back all mail of its domain. */
export const CANCELLED: Outcome = {
  kind: 'failed',
  severity: 'permanent',
  reason: 'generic',
  answer: noSession(550, '5.7.0', 'Cancelled: the mail that waited for this domain was dropped'),
  ambiguous: false,
};

/** No attempt starts after `expiresAt`. */
export function expired(record: MailAccepted, now: number): Outcome | undefined {
  if (now < record.expiresAt) return undefined;
  return {
    kind: 'failed',
    severity: 'permanent',
    reason: 'old',
    answer: noSession(498, '5.4.7', 'Too old: it could not be delivered before it expired'),
    ambiguous: false,
  };
}

/** None starts before `deliverAt` either. */
export const early = ({ deliverAt = 0 }: MailAccepted, now: number): Outcome | undefined =>
  now < deliverAt ? { kind: 'waits', until: deliverAt } : undefined;

/** Mail that is held back waits for as long as the pause lasts, or as long as it may. */
export const paused = ({ expiresAt }: MailAccepted, pause: Hold | undefined): Outcome | undefined =>
  pause && { kind: 'waits', until: Math.min(expiresAt, pause.until?.getTime() ?? expiresAt), pausedBy: pause.id };
