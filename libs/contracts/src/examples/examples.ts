import {
  eventId,
  type AcceptedEvent,
  type DeliveredEvent,
  type FailedEvent,
  type UnsubscribedEvent,
} from '../events/mail-events.ts';
import type { MailAccepted } from '../events/mail-accepted.ts';
import { periodOf } from '../retention.ts';
import type { PrivacyCommand } from '../commands/privacy-commands.ts';
import type { PrivacyReply } from '../commands/privacy-replies.ts';
import type { AccountSettings, DomainSettings, SuppressionEntry } from '../settings/settings.ts';

/** One example per contract; `contracts.test.ts` holds each against its schema. */
const JWE = 'eyJhbGciOiJkaXIifQ..MDEyMzQ1Njc4OTAx.c2VhbGVk.MDEyMzQ1Njc4OTAxMjM0NQ';
const AT = Date.UTC(2026, 10, 25, 9);
const messageId = '019ab7a0-0000-7000-8000-000000000001';
const accountId = '019ab7a0-0000-7000-8000-00000000000a';
const domainId = '019ab7a0-0000-7000-8000-00000000000d';
const recipient = { subject: '4f6a3c1e-9d8b-4c5a-8e7f-000000000001', role: 'to', envelope: JWE } as const;
const related = [{ role: 'from', subject: '4f6a3c1e-9d8b-4c5a-8e7f-000000000002', person: JWE }] as const;

const mailAccepted: MailAccepted = {
  messageId,
  ordinal: 0,
  accountId,
  domainId,
  acceptedAt: AT,
  expiresAt: AT + 3_600_000 + 86_400_000,
  deliverAt: AT + 3_600_000,
  dropAt: Date.UTC(2026, 11, 2, 6),
  eventClass: 'e30',
  size: 1_024,
  testMode: false,
  dkim: true,
  requireTls: false,
  unsubscribe: true,
  skipVerification: false,
  nullSender: true,
  recipient,
  related: [...related],
};

const about = {
  accountId,
  domainId,
  messageId,
  ordinal: 0,
  at: AT,
  period: periodOf('e30', AT),
  size: 1_024,
  testMode: false,
  recipient,
  related: [...related],
};

const accepted: AcceptedEvent = {
  ...about,
  id: eventId(messageId, 0, 0, 'accepted'),
  type: 'accepted',
  method: 'http',
  keyId: '019ab7a0-0000-7000-8000-0000000000c1',
};

const delivered: DeliveredEvent = {
  ...about,
  id: eventId(messageId, 0, 1, 'delivered'),
  type: 'delivered',
  deliveryStatus: {
    code: 250,
    attempt: 1,
    sessionSeconds: 0.12,
    tls: true,
    certificateVerified: true,
    maybeDuplicate: false,
    reply: JWE,
  },
};

const failed: FailedEvent = {
  ...about,
  id: eventId(messageId, 0, 1, 'temporary'),
  type: 'failed',
  severity: 'temporary',
  reason: 'greylisted',
  noSuchMailbox: false,
  deliveryStatus: {
    code: 451,
    enhancedCode: '4.7.1',
    attempt: 1,
    sessionSeconds: 0.2,
    tls: false,
    certificateVerified: false,
    maybeDuplicate: false,
    retrySeconds: 60,
    reply: JWE,
  },
};

const unsubscribed: UnsubscribedEvent = {
  ...about,
  id: eventId(messageId, 0, 0, 'unsubscribed'),
  type: 'unsubscribed',
};

const accountSettings: AccountSettings = {
  accountId,
  state: 'active',
  parentId: '019ab7a0-0000-7000-8000-00000000000b',
  quota: { day: 1_000, month: 10_000 },
  retention: { bodiesDays: 7, eventsDays: 30 },
  allowedSenders: JWE,
  keys: [{ id: accepted.keyId, hash: 'ab'.repeat(32), scopes: ['messages:write', 'events:read'] }],
  sessions: [
    {
      id: '019ab7a0-0000-7000-8000-0000000000d1',
      hash: 'cd'.repeat(32),
      scopes: ['users:read', 'session'],
      signedInAt: 1_764_190_800_000,
      renewAt: 1_764_201_600_000,
      expiresAt: 1_764_288_000_000,
    },
  ],
};

const closedAccount: AccountSettings = {
  accountId,
  state: 'suspended',
  closing: { request: '019ab7a0-0000-7000-8000-0000000000f1', at: AT, by: 'operator' },
  keys: [],
};

const domainSettings: DomainSettings = {
  domainId,
  accountId,
  name: 'mail.example',
  state: 'active',
  dkim: { selector: 'lethe', privateKey: JWE },
  dkimEd25519: { selector: 'lethe-ed', privateKey: JWE },
  bodiesDays: 7,
  eventsDays: 30,
  expirySeconds: 172_800,
  requireTls: true,
  unsubscribeTracking: true,
  skipVerification: false,
  smtpCredentials: [{ id: '019ab7a0-0000-7000-8000-0000000000c1', credential: JWE }],
  quota: { month: 5_000 },
  allowedSenders: JWE,
  sandbox: { recipients: [recipient.subject] },
};

const suppressionEntry: SuppressionEntry = { reasons: ['bounce'], at: AT };

const asked = { requestId: '019ab7a0-0000-7000-8000-0000000000e1', attempt: 1, at: AT };
const whom = { ...asked, accountId, subjects: [recipient.subject], cutOff: AT };
const commands: PrivacyCommand[] = [
  { ...whom, step: 'fence' },
  { ...whom, step: 'erase', doNotContact: 'default' },
  { ...whom, step: 'verify' },
  { ...asked, step: 'in-flight', messages: [messageId] },
  { ...asked, step: 'measure' },
];
const answered = { ...asked, service: 'events' } as const;
const replies: PrivacyReply[] = [
  { ...answered, step: 'fence', outcome: 'done', subjects: 1 },
  {
    ...answered,
    step: 'erase',
    outcome: 'done',
    subjects: 1,
    found: { event: 12 },
    removed: { event: 12 },
    expungedAt: AT,
  },
  { ...answered, step: 'verify', outcome: 'done', subjects: 1, residual: {} },
  { ...answered, step: 'in-flight', outcome: 'done', messages: [] },
  {
    ...answered,
    step: 'measure',
    outcome: 'done',
    readings: [{ store: 'events.index-e30', class: 'e30', limitSeconds: 2_592_000, oldestAt: null }],
  },
  { ...answered, step: 'failed', outcome: 'failed', of: 'erase', error: 'store-away', retryable: true },
];

/** By topic name. */
export const EXAMPLES: Record<string, readonly unknown[]> = {
  'mail-accepted': [mailAccepted],
  'mail-events': [accepted, delivered, failed, unsubscribed],
  'account-settings': [accountSettings, closedAccount],
  'domain-settings': [domainSettings],
  'suppression-entries': [suppressionEntry],
  'privacy-commands': commands,
  'privacy-replies': replies,
};
