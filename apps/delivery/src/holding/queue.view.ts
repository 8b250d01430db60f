import { said } from '@lethe/service';
import { z } from 'zod';
import type { Hold } from './hold.entity.ts';

/** Why a queue stands still; nobody types a reason, so none has to be forgotten. */
const REASONS: Record<Hold['scope'], string> = {
  domain: 'Paused by the account',
  account: 'The account is paused by the operator',
  destination: 'The destination is paused by the operator',
};

const queueShape = z.object({
  is_disabled: z.boolean(),
  disabled: z.object({ until: z.string(), reason: z.string() }),
});
export const queuesShape = z.object({ regular: queueShape, scheduled: queueShape });

const pauseShape = z.object({
  scope: z.enum(['domain', 'account', 'destination']),
  target: z.string(),
  since: z.string(),
  until: z.string(),
  reason: z.string(),
});
export const pauseList = z.object({ items: z.array(pauseShape) });
export const madePause = said.extend({ pause: pauseShape.optional() });

/** A domain's queues in Mailgun's shape. A pause holds both. */
export function queuesView(pause: Hold | undefined): z.infer<typeof queuesShape> {
  const queue = {
    is_disabled: pause !== undefined,
    disabled: { until: pause?.until?.toUTCString() ?? '', reason: pause ? REASONS[pause.scope] : '' },
  };
  return { regular: queue, scheduled: queue };
}

export const pauseView = ({ scope, target, at, until }: Hold): z.infer<typeof pauseShape> => ({
  scope,
  target,
  since: at.toUTCString(),
  until: until?.toUTCString() ?? '',
  reason: REASONS[scope],
});
