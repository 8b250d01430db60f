import { metrics } from '@lethe/service';
import { LATER_REASONS, type Attempt, type Outcome } from './attempt.ts';
import { PROVIDERS, providerOf } from '../shaping/providers.ts';

const OUTCOMES = ['delivered', 'temporary', 'permanent', 'forgotten', 'waits', ...LATER_REASONS] as const;

const attempts = metrics.counter('lethe.delivery.attempts', {
  outcome: OUTCOMES,
  provider: PROVIDERS,
  duplicate: ['no', 'maybe'],
});
const durations = metrics.histogram('lethe.delivery.session.duration', { outcome: OUTCOMES, provider: PROVIDERS });

export function countOutcome(outcome: Outcome, { maybeDuplicate }: Attempt): void {
  const name = nameOf(outcome);
  const answer = 'answer' in outcome ? outcome.answer : undefined;
  const provider = providerOf(answer?.host);
  attempts.add(1, { outcome: name, provider, duplicate: maybeDuplicate ? 'maybe' : 'no' });
  if (answer?.host !== undefined) durations.record(answer.sessionSeconds * 1_000, { outcome: name, provider });
}

function nameOf(outcome: Outcome): (typeof OUTCOMES)[number] {
  if (outcome.kind === 'failed') return outcome.severity;
  return outcome.kind === 'later' ? outcome.reason : outcome.kind;
}
