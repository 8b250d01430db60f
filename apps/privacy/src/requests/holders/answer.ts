import type { PrivacyReply } from '@lethe/contracts';
import type { AskedStep } from '../request.ts';

/** What is known of a question when its answer comes. */
export interface Question {
  /** Subject ids the command had. */
  readonly subjects: number;
  /** Whether it was about a whole account. */
  readonly closing: boolean;
  /** The first attempt of this round of asking, and the last one; earlier ones asked about an earlier state of things. */
  readonly firstAttempt: number;
  readonly attempts: number;
  readonly acknowledged: boolean;
}

export type ScopedReply = Extract<PrivacyReply, { step: AskedStep }>;

/** Codes shown as a holder's `error`. Besides: `no-answer`, `behind`, `residual`, and what holders say of themselves. */
export type Nonsense = 'stale-attempt' | 'unknown-attempt' | 'other-subjects' | 'removed-more-than-found';

export type Judgement = { kind: 'believe' } | { kind: 'repeated' } | { kind: 'nonsense'; error: Nonsense };

/** Whether an answer can be an answer to the question. What cannot is shown and asked again, never believed. */
export function judge(question: Question, reply: ScopedReply): Judgement {
  // Every attempt is answered, answers come twice, and others are asked again: after a right answer none counts.
  if (question.acknowledged) return { kind: 'repeated' };
  if (reply.attempt > question.attempts) return nonsense('unknown-attempt');
  if (reply.attempt < question.firstAttempt) return nonsense('stale-attempt');
  // One that has not heard of closing takes the command for one about nobody, and finds nothing.
  if (reply.subjects !== question.subjects || (reply.closing ?? false) !== question.closing) {
    return nonsense('other-subjects');
  }
  return reply.step === 'erase' && removedTooMuch(reply) ? nonsense('removed-more-than-found') : { kind: 'believe' };
}

const nonsense = (error: Nonsense): Judgement => ({ kind: 'nonsense', error });

const removedTooMuch = ({ found, removed }: Extract<ScopedReply, { step: 'erase' }>): boolean =>
  Object.entries(removed).some(([kind, count]) => count > (found[kind] ?? 0));
