import { createHash } from 'node:crypto';
import type { CompletedRequest } from '../../src/requests/completed-request.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 28, 12, minute));

export const SALT = Buffer.alloc(32, 7);
export const digestOf = (normalForm: string): string =>
  createHash('sha256').update(SALT).update(normalForm).digest('base64url');

/** An erasure of one person with an alias, met in every store. */
export const completedRequest: CompletedRequest = {
  id: '0191d0f0-0000-7000-8000-00000000000a',
  accountId: '0191d0f0-0000-7000-8000-00000000000b',
  type: 'erasure',
  scope: { of: 'subjects', doNotContact: 'default', identifiers: 2 },
  cutOff: at(1),
  subjects: { count: 1, digests: [digestOf('ana@example.net')], aliasDigests: [[digestOf('ana+news@example.net')]] },
  holders: [
    { service: 'ingest', found: { recipient: 3, body: 2 }, removed: { recipient: 3, body: 2 } },
    { service: 'delivery', found: { deferred: 1 }, removed: { deferred: 1 } },
    { service: 'events', found: { event: 12, mention: 1 }, removed: { event: 12, mention: 1 }, expungedAt: at(3) },
    { service: 'suppression', found: {}, removed: {} },
    { service: 'privacy', found: { key: 2, 'request-subject': 1 }, removed: { key: 2, 'request-subject': 1 } },
    { service: 'accounts', found: {}, removed: {} },
  ].map((answer) => ({
    residual: {},
    acknowledgedAt: at(3),
    verifiedAt: at(4),
    expungedAt: null,
    ...answer,
  })) as unknown as CompletedRequest['holders'],
  keysDestroyed: { subjects: 2, contentKeys: 2 },
  unreadableAt: at(3),
  expungedAt: at(4),
  kept: [{ what: 'body', count: 1, why: 'others-waiting', until: at(59) }],
  receivedAt: at(0),
  completedAt: at(5),
};
