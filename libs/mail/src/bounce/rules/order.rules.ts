import * as filter from '../said/filter.ts';
import * as mailbox from '../said/mailbox.ts';
import * as sender from '../said/sender.ts';
import * as system from '../said/system.ts';
import type { Rule } from './rule.ts';

/** Who takes the recipient and refuses later has filtered: what is said before DATA is about something else. */
const BEFORE_DATA = ['CONNECT', 'EHLO', 'MAIL', 'RCPT'] as const;

/** "User unknown" of who has taken the recipient before is a filter's way to say no. */
const FILTERED = [mailbox.FILTERED, mailbox.UNKNOWN_USER, mailbox.UNKNOWN_PERHAPS].join(' | ');

/** Said of a mailbox, if it was not said of a domain or a sender before. */
const NOT_THERE = 'does not exist | doesnt exist';

/**
 * Read from the top, for replies of servers: a status and words that together say for certain what happened. What is about
 * the mailbox comes before what is about the sender, and "user unknown" is only believed where nothing else is said with it.
 * The order follows sisimai (BSD 2-Clause, see NOTICE).
 */
export const CERTAIN_RULES: readonly Rule[] = [
  { reason: 'mailbox-full', named: ['mailbox-full'] },
  { reason: 'mailbox-full', says: mailbox.FULL },
  { reason: 'too-large', named: ['too-large'] },
  { reason: 'too-large', notNamed: ['too-large-for-recipient'], notStatus: ['2.3'], says: mailbox.TOO_LARGE },
  { reason: 'too-large-for-recipient', named: ['too-large-for-recipient'] },
  { reason: 'too-large-for-recipient', says: mailbox.TOO_LARGE_FOR_RECIPIENT },
  { reason: 'disabled', replyCode: [525] },
  { reason: 'disabled', says: mailbox.DISABLED },
  { reason: 'moved', says: mailbox.MOVED },
  { reason: 'relaying-denied', notAt: ['CONNECT', 'EHLO'], says: sender.RELAYING },
  { reason: 'unauthenticated', named: ['unauthenticated'] },
  { reason: 'unauthenticated', says: sender.UNAUTHENTICATED },
  // 5.1.0 with the words of RFC 5321, which elsewhere are about the sender.
  {
    reason: 'unknown-user',
    status: ['1.0'],
    passing: false,
    says: 'address rejected',
    unless: 'sender address rejected',
  },
  {
    reason: 'unknown-user',
    named: ['unknown-user'],
    unless: [sender.RELAYING, filter.BLOCKED, mailbox.FULL, mailbox.MOVED, system.NO_MAIL].join(' | '),
    says: sender.NOT_REFUSED,
  },
  {
    reason: 'unknown-user',
    named: ['unknown-user'],
    unless: [sender.RELAYING, filter.BLOCKED, mailbox.FULL, mailbox.MOVED, system.NO_MAIL, sender.REFUSED].join(' | '),
  },
  { reason: 'unknown-user', notNamed: ['unknown-user', 'disabled'], at: ['RCPT'], says: mailbox.UNKNOWN_USER },
  {
    reason: 'unknown-user',
    notNamed: ['unknown-user', 'disabled'],
    at: ['RCPT'],
    says: mailbox.UNKNOWN_PERHAPS,
    weak: true,
  },
  { reason: 'filtered', named: ['filtered'], says: FILTERED },
  {
    reason: 'filtered',
    notNamed: ['filtered', 'disabled'],
    notAt: BEFORE_DATA,
    says: FILTERED,
  },
  { reason: 'no-reverse-dns', named: ['no-reverse-dns'] },
  { reason: 'no-reverse-dns', says: sender.NO_REVERSE_DNS },
  { reason: 'malformed', says: sender.MALFORMED },
  { reason: 'reputation', says: sender.REPUTATION },
  { reason: 'content', named: ['content'], unless: filter.SPAM },
  { reason: 'content', says: filter.CONTENT },
  { reason: 'sender-refused', named: ['sender-refused'] },
  { reason: 'sender-refused', at: ['MAIL'], says: sender.REFUSED, unless: sender.NOT_REFUSED },
  {
    reason: 'sender-refused',
    at: ['DATA'],
    notNamed: ['unknown-user'],
    says: sender.REFUSED,
    unless: sender.NOT_REFUSED,
  },
  {
    reason: 'sender-refused',
    named: ['none', 'security', 'system'],
    says: sender.REFUSED,
    unless: sender.NOT_REFUSED,
  },
  { reason: 'unknown-host', named: ['unknown-host'], unless: system.NETWORK },
  { reason: 'unknown-host', notNamed: ['unknown-host'], says: system.UNKNOWN_HOST },
  { reason: 'unknown-host', replyCode: [553], says: 'does not exist', weak: true },
  { reason: 'unknown-user', notNamed: ['disabled'], at: ['RCPT'], says: NOT_THERE, unless: sender.REFUSED, weak: true },
  { reason: 'spam', named: ['spam'] },
  { reason: 'spam', notAt: BEFORE_DATA, says: filter.SPAM, stated: true },
  { reason: 'too-fast', says: filter.TOO_FAST },
  { reason: 'rate-limited', named: ['rate-limited'] },
  { reason: 'rate-limited', says: filter.RATE_LIMITED },
  { reason: 'blocked', named: ['blocked'] },
  { reason: 'blocked', says: filter.BLOCKED },
];

/** Read from the top, where the status says nothing that is believed without words. */
export const WORDED_RULES: readonly Rule[] = [
  { reason: 'mailbox-full', says: mailbox.FULL },
  { reason: 'unauthenticated', says: sender.UNAUTHENTICATED },
  { reason: 'reputation', says: sender.REPUTATION },
  { reason: 'too-fast', says: filter.TOO_FAST },
  { reason: 'spam', says: filter.SPAM },
  { reason: 'virus', says: filter.VIRUS },
  { reason: 'policy', says: filter.POLICY },
  { reason: 'relaying-denied', says: sender.RELAYING },
  { reason: 'system', says: system.SYSTEM },
  { reason: 'network', says: system.NETWORK },
  { reason: 'disabled', says: mailbox.DISABLED },
  { reason: 'content', says: filter.CONTENT },
  { reason: 'system-full', says: system.SYSTEM_FULL },
  { reason: 'takes-no-mail', says: system.NO_MAIL },
  { reason: 'expired', says: system.EXPIRED },
  { reason: 'tls', says: system.TLS },
  { reason: 'security', says: system.SECURITY },
  { reason: 'mailer', says: system.MAILER },
];
