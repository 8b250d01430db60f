import { describe, expect, it } from 'vitest';
import { classifyReply } from '../reply/classify.ts';
import { classify } from './classify.ts';
import { REASONS } from './reasons.ts';
import { BROAD_RULES, CERTAIN_RULES, OWN_RULES, PROGRAM_RULES, WORDED_RULES } from './rules/all.ts';
import type { Command } from './rules/rule.ts';
import { codesIn, normalise, phrase, phrasesOf, Reading, says, wordsOf } from './words.ts';

const reason = (text: string, command?: Command) => {
  const { replyCode, statuses } = codesIn(text);
  return classify({ text: new Reading(text), status: statuses[0], replyCode, command, quoted: true }).reason;
};

describe('classify', () => {
  it.each<[string, string, Command?]>([
    ['550 5.1.1 whatever it says', 'unknown-user'],
    ['550 5.1.2 whatever it says', 'unknown-host'],
    ['550 5.1.10 the recipient has a null MX', 'takes-no-mail'],
    ['550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found', 'unknown-user'],
    ['551 5.1.6 gone', 'moved'],
    ['550 5.1.8 domain does not exist', 'sender-refused'],
    ['452 4.2.2 over', 'mailbox-full'],
    ['550-5.2.2 The mailbox of 550 5.2.2 jane is over its quota', 'mailbox-full'],
    ['552 5.3.4 no', 'too-large'],
    ['552 5.2.3 message too large', 'too-large-for-recipient'],
    ['550 5.2.1 This mailbox is disabled', 'disabled'],
    ['550 5.2.1 no', 'filtered'],
    ['550 Account temporarily suspended', 'disabled'],
    ['550 5.7.1 Relaying denied', 'relaying-denied'],
    ['550 5.7.25 no', 'no-reverse-dns'],
    ['554 your address has no PTR record', 'no-reverse-dns'],
    ['550 5.7.26 no', 'unauthenticated'],
    ['550 message fails the DMARC policy of the domain', 'unauthenticated'],
    ['451 4.7.1 Greylisting in action', 'greylisted'],
    ['554 5.7.1 192.0.2.1 is listed by Spamhaus', 'listed'],
    ['550 IP address 192.0.2.1 is blocked', 'blocked'],
    ['554 rejected for low reputation', 'reputation'],
    ['550 this message looks like spam', 'spam'],
    ['552 a virus was detected: virus found', 'virus'],
    ['550 rejected for policy reasons', 'policy'],
    ['452 too many recipients', 'rate-limited'],
    ['421 too many concurrent connections', 'rate-limited'],
    ['450 you are sending too fast', 'too-fast'],
    ['550 the message is not RFC 5322 compliant', 'malformed'],
    ['503 bad sequence of commands', 'protocol'],
    ['554 TLS required by this host', 'tls'],
    ['554 too many hops', 'loop'],
    ['451 4.3.0 internal error', 'system'],
    ['452 4.3.1 insufficient system storage', 'system-full'],
    ['550 Host unknown', 'unknown-host'],
    ['550 no', 'unclear'],
    ['550 no', 'blocked', 'CONNECT'],
    ['550 user unknown', 'unknown-user', 'RCPT'],
    ['550 user unknown', 'filtered', 'DATA'],
    ['550 <a@b.example> does not exist', 'unknown-user', 'RCPT'],
    ['550 sender address rejected: it does not exist', 'sender-refused', 'RCPT'],
    ['550 domain does not exist', 'unknown-host', 'RCPT'],
    ['554 (a@b.example:blocked)', 'blocked'],
    ['', 'unsaid'],
  ])('reads %j as %s', (text, expected, command) => expect(reason(text, command)).toBe(expected));

  it.each<[string, string, Command?]>([
    ['Your message to <a@b.example> was automatically rejected: Not enough disk space', 'mailbox-full'],
    ['mail.local: /var/mail/a: Disc quota exceeded', 'mailbox-full', 'DATA'],
    ['procmail: Quota exceeded while writing "/var/mail/a"', 'mailbox-full'],
    ['procmail: Couldn\'t create "/var/mail/a"', 'mailer'],
    ['maildrop: Invalid user specified.', 'unknown-user'],
    ['vdelivermail: account is locked email bounced', 'disabled'],
    ['vdeliver: Invalid or unknown virtual user', 'unknown-user'],
  ])('knows who delivers: %j is %s', (text, expected, command) => expect(reason(text, command)).toBe(expected));

  it.each<[string, string, Command?]>([
    // A status that says it for certain is believed before words, one that is said of everything after them.
    ['552 5.2.2 user unknown', 'mailbox-full', 'RCPT'],
    ['550 5.7.1 user unknown', 'unknown-user', 'RCPT'],
    ['550 5.1.1 mailbox full', 'mailbox-full', 'RCPT'],
    ['550 5.1.1 relaying denied', 'relaying-denied', 'RCPT'],
    ['550 5.1.1 no', 'unknown-user', 'DATA'],
    ['550 5.7.1 no', 'security', 'DATA'],
    ['450 4.7.1 no', 'blocked', 'DATA'],
    ['550 5.4.4 no', 'unknown-host'],
    ['550 5.4.4 host not found, try again', 'dns'],
    // The same sentence is about the sender where the sender was answered.
    ['550 address rejected', 'sender-refused', 'MAIL'],
    ['550 5.1.0 address rejected', 'unknown-user', 'RCPT'],
    // Where neither says anything, the code does.
    ['552 no', 'mailbox-full', 'RCPT'],
    ['452 no', 'system-full', 'RCPT'],
    ['521 no', 'takes-no-mail', 'RCPT'],
  ])('weighs status, words and command: %j is %s', (text, expected, command) =>
    expect(reason(text, command)).toBe(expected),
  );

  it('is not led by an address or by the page a link names', () => {
    expect(reason('550 <mailbox.full@user.unknown.example> no: https://p.example/why#mailbox-full')).toBe('unclear');
  });

  it('has no rule that fits everything, or nothing, by an oversight', () => {
    for (const rule of [...PROGRAM_RULES, ...OWN_RULES, ...CERTAIN_RULES, ...WORDED_RULES, ...BROAD_RULES]) {
      const { says: said, code, status, named, replyCode, from, besides, unless } = rule;
      expect(said ?? code ?? status ?? named ?? replyCode ?? from, rule.reason).toBeDefined();
      for (const list of [said, besides, unless]) {
        for (const parts of list === undefined ? [] : phrasesOf(list)) {
          for (const part of parts) expect(part.trim(), list).not.toBe('');
          // Each phrase fits its own words: nothing in it is lost when texts are normalised.
          expect(says(normalise(parts.join(' ')), parts), parts.join('…')).toBe(true);
        }
      }
      expect(REASONS[rule.reason]).toBeDefined();
    }
  });
});

describe('phrases', () => {
  it.each([
    ['mailbox full', 'The MAILBOX is-full', false],
    ['mailbox … full', 'The MAILBOX is-full', true],
    ['mailbox … full', 'mailboxes fully', false],
    ['mailbox … full', `mailbox ${'x'.repeat(100)} full`, false],
    ['mailbox … full', `mailbox ${'x'.repeat(100)} mailbox full`, true],
    ['doesnt exist', "It doesn’t exist. Doesn't exist", true],
    ['boite pleine', 'Boîte pleine', true],
    ['不明', 'ユーザ不明です', true],
  ])('%j in %j: %s', (wanted, text, expected) => expect(says(wordsOf(text), phrase(wanted))).toBe(expected));

  it('finds codes as words of their own', () => {
    expect(codesIn("550-5.7.1 x 192.0.2.1 2015 (#5.1.1) '5.2.2 v5.1.1.2")).toEqual({
      replyCode: 550,
      replyCodes: [550],
      statuses: ['5.7.1', '5.1.1', '5.2.2'],
    });
  });
});

describe('what a provider has against us', () => {
  const AGAINST_US = [
    'Client host [192.0.2.1] blocked using zen.spamhaus.org',
    'Your IP is on our blocklist',
    'IP address blacklisted by recipient',
    'rejected due to the poor reputation of the sender',
    'message was detected as spam',
    'this looks like spam, user unknown',
    'unsolicited mail is not wanted; no such user for you',
    'SPF check failed; recipient not found',
    'message fails the DMARC policy',
    'you have no PTR record: no such user',
    'relaying denied, user unknown',
    'sender domain does not exist',
    'rejected for policy reasons',
    'too many connections',
    'you are sending too fast',
  ];
  const CODES = [550, 551, 553, 554, 571];
  it.each(AGAINST_US)('never costs a recipient: %s', (text) => {
    for (const code of CODES) {
      for (const status of ['', '5.7.1 ', '5.7.0 ', '5.0.0 ']) {
        expect(classifyReply(code, undefined, `${status}${text}`).noSuchMailbox, `${code} ${status}`).toBe(false);
        const wrapped = `${status}<a@b.example>: Recipient address rejected: ${text}`;
        expect(classifyReply(code, undefined, wrapped).noSuchMailbox, `${code} ${wrapped}`).toBe(false);
      }
    }
  });

  // The same under the status that says "no such mailbox", where it is about us without doubt.
  it.each(AGAINST_US.slice(0, 11))('nor under 5.1.1: %s', (text) => {
    expect(
      classifyReply(550, undefined, `5.1.1 <a@b.example>: Recipient address rejected: ${text}`).noSuchMailbox,
    ).toBe(false);
  });

  it('and neither does a server that only says that it does not want the recipient', () => {
    for (const text of [
      '5.4.1 Recipient address rejected: Access denied',
      'mailbox unavailable',
      'Recipient address rejected',
    ]) {
      expect(classifyReply(550, undefined, text)).toEqual({
        severity: 'permanent',
        reason: 'bounce',
        noSuchMailbox: false,
      });
    }
  });
});
