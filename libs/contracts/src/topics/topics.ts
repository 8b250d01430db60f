import { privacyCommand } from '../commands/privacy-commands.ts';
import { privacyReply } from '../commands/privacy-replies.ts';
import { mailAccepted } from '../events/mail-accepted.ts';
import { mailEvent } from '../events/mail-events.ts';
import { HOLDERS } from '../services.ts';
import { accountSettings, domainSettings, suppressionEntry } from '../settings/settings.ts';
import { partitionOfMoment } from './moment.ts';
import type { Topic } from './topic.ts';

const DAY = 86_400_000;
const topic = <const T extends Topic>(declaration: T): T => declaration;

/** Everything services say to each other (design §3). A topic is declared here when its first publisher exists. */

export const MAIL_ACCEPTED = topic({
  name: 'mail-accepted',
  what: 'one record per recipient ready to be sent',
  producers: ['ingest'],
  consumers: ['delivery'],
  key: 'message id; the partition is explicit: keyed hash of the destination site',
  partitions: 64,
  cleanup: { kind: 'time-limited', limitMs: 7 * DAY },
  deadLetter: 'mail-accepted-dead-letter',
  value: mailAccepted,
});

export const MAIL_EVENTS = topic({
  name: 'mail-events',
  what: 'every discrete event of every service: the source the search index is a projection of',
  producers: ['ingest', 'delivery', 'suppression'],
  consumers: ['events', 'suppression'],
  key: 'message id',
  partitions: 8,
  partitionOf: (messageId) => partitionOfMoment(messageId, 8),
  cleanup: { kind: 'time-limited', limitMs: 30 * DAY },
  deadLetter: 'mail-events-dead-letter',
  value: mailEvent,
});

export const ACCOUNT_SETTINGS = topic({
  name: 'account-settings',
  what: 'who may call and send: key hashes, scopes, states',
  producers: ['accounts'],
  consumers: ['gateway', 'ingest', 'delivery', 'events', 'suppression', 'privacy'],
  key: 'account id',
  partitions: 1,
  cleanup: { kind: 'compacted' },
  deadLetter: 'account-settings-dead-letter',
  value: accountSettings,
});

export const DOMAIN_SETTINGS = topic({
  name: 'domain-settings',
  what: 'sending domains: state, retention, sealed DKIM key and SMTP credentials',
  producers: ['accounts'],
  consumers: ['gateway', 'ingest', 'delivery', 'events', 'suppression', 'privacy'],
  key: 'domain id',
  partitions: 1,
  cleanup: { kind: 'compacted' },
  deadLetter: 'domain-settings-dead-letter',
  value: domainSettings,
});

export const SUPPRESSION_ENTRIES = topic({
  name: 'suppression-entries',
  what: 'whom not to mail: reason codes by pseudonym',
  producers: ['suppression'],
  consumers: ['delivery', 'privacy'],
  key: 'pseudonym and domain id (account id for do-not-contact)',
  keyMark: 'pseudonym',
  partitions: 4,
  cleanup: { kind: 'compacted' },
  deadLetter: 'suppression-entries-dead-letter',
  value: suppressionEntry,
});

export const PRIVACY_COMMANDS = topic({
  name: 'privacy-commands',
  what: 'what privacy asks of every holder, by subject id',
  producers: ['privacy'],
  consumers: HOLDERS,
  everyConsumerAnswers:
    'it may hold personal data: import PrivacyHolderModule.forService with its holder, and spread HOLDER_TOPICS into consumes and produces',
  key: 'request id',
  partitions: 4,
  cleanup: { kind: 'time-limited', limitMs: 30 * DAY },
  deadLetter: 'privacy-commands-dead-letter',
  value: privacyCommand,
});

export const PRIVACY_REPLIES = topic({
  name: 'privacy-replies',
  what: "each holder's answer",
  producers: HOLDERS,
  consumers: ['privacy'],
  key: 'request id',
  partitions: 4,
  cleanup: { kind: 'time-limited', limitMs: 30 * DAY },
  deadLetter: 'privacy-replies-dead-letter',
  value: privacyReply,
});

export const TOPICS = [
  MAIL_ACCEPTED,
  MAIL_EVENTS,
  ACCOUNT_SETTINGS,
  DOMAIN_SETTINGS,
  SUPPRESSION_ENTRIES,
  PRIVACY_COMMANDS,
  PRIVACY_REPLIES,
] as const;
