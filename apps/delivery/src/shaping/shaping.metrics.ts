import { metrics } from '@lethe/service';
import { PROVIDERS, type Provider } from './providers.ts';

/**
 * A site was slowed, let alone, or is as fast again as it may be; no slot of it was free; one was given up for other processes.
 */
const EVENTS = ['slowed', 'paused', 'recovered', 'wanting', 'shared'] as const;

const events = metrics.counter('lethe.delivery.shaping', { event: EVENTS, provider: PROVIDERS });

export function countShaping(event: (typeof EVENTS)[number], provider: Provider): void {
  events.add(1, { event, provider });
}
