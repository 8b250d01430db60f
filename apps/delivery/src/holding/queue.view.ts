import type { Hold } from './hold.entity.ts';

/** Why a queue stands still; nobody types a reason, so none has to be forgotten. */
const REASONS: Record<Hold['scope'], string> = {
  domain: 'Paused by the account',
  account: 'The account is paused by the operator',
  destination: 'The destination is paused by the operator',
};

/** A domain's queues in Mailgun's shape. A pause holds both. */
export function queuesView(pause: Hold | undefined): Record<'regular' | 'scheduled', unknown> {
  const queue = {
    is_disabled: pause !== undefined,
    disabled: { until: pause?.until?.toUTCString() ?? '', reason: pause ? REASONS[pause.scope] : '' },
  };
  return { regular: queue, scheduled: queue };
}

export const pauseView = ({ scope, target, at, until }: Hold): Record<string, string> => ({
  scope,
  target,
  since: at.toUTCString(),
  until: until?.toUTCString() ?? '',
  reason: REASONS[scope],
});
