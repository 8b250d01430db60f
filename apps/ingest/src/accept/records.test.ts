import { mailAccepted, mailEvent, MAX_RELATED_RECIPIENTS, type DomainSettings, type Recipient } from '@lethe/contracts';
import { describe, expect, it } from 'vitest';
import { acceptedEventRecord, mailAcceptedRecord, type SealedMessage } from './records.ts';

const JWE = 'eyJhbGciOiJkaXIifQ..MDEyMzQ1Njc4OTAx.c2VhbGVk.MDEyMzQ1Njc4OTAxMjM0NQ';
const domain: DomainSettings = {
  domainId: 'd',
  accountId: 'a',
  name: 'mail.example',
  state: 'active',
  dkim: null,
  bodiesDays: 7,
  eventsDays: 30,
};

function message(roles: Recipient['role'][]): SealedMessage {
  const recipients = roles.map((role, ordinal) => ({ subject: `s${ordinal}`, role, envelope: JWE }));
  return {
    id: 'm',
    acceptedAt: 1_000,
    size: 10,
    domain,
    deadlines: { eventClass: 'e30', dropAt: new Date(5_000), expiresAt: 4_000 },
    recipients,
    partitions: roles.map(() => 3),
    senders: [{ role: 'from', subject: 'sender', person: JWE }],
    named: [],
    visible: recipients.flatMap(({ subject, role }, ordinal) =>
      role === 'bcc' || role === 'each' ? [] : [{ role, subject, person: JWE, ordinal }],
    ),
    submission: { testMode: false, dkim: true, requireTls: false, method: 'http', keyId: 'k' },
  };
}

describe('records of a message', () => {
  it('fit their contracts', () => {
    const made = message(['to', 'bcc']);
    for (const ordinal of [0, 1]) {
      expect(mailAccepted.parse(mailAcceptedRecord(made, ordinal))).toEqual(mailAcceptedRecord(made, ordinal));
      expect(mailEvent.parse(acceptedEventRecord(made, ordinal))).toEqual(acceptedEventRecord(made, ordinal));
    }
  });

  it('says when it is to be sent, where that is later', () => {
    const made = message(['to']);
    expect(mailAcceptedRecord(made, 0)).not.toHaveProperty('deliverAt');
    const later = { ...made, deadlines: { ...made.deadlines, deliverAt: 3_000 } };
    expect(mailAccepted.parse(mailAcceptedRecord(later, 0))).toMatchObject({ deliverAt: 3_000, expiresAt: 4_000 });
  });

  it('says that it can be unsubscribed from where its domain does, or it does itself', () => {
    const made = message(['to']);
    const saying = (ofDomain: boolean | undefined, own?: boolean) =>
      mailAccepted.parse(
        mailAcceptedRecord(
          {
            ...made,
            domain: { ...domain, ...(ofDomain === undefined ? {} : { unsubscribeTracking: ofDomain }) },
            submission: { ...made.submission, ...(own === undefined ? {} : { unsubscribe: own }) },
          },
          0,
        ),
      ).unsubscribe;
    expect([saying(undefined), saying(false), saying(true, false)]).toEqual([undefined, undefined, undefined]);
    expect([saying(true), saying(false, true), saying(undefined, true)]).toEqual([true, true, true]);
  });

  it('says how many there are of a message that nobody may read', () => {
    const made = message(['to', 'bcc']);
    const shredded = { ...made, domain: { ...domain, bodiesDays: 0 } };
    expect(mailAcceptedRecord(made, 1)).not.toHaveProperty('shredAfter');
    expect(mailAccepted.parse(mailAcceptedRecord(shredded, 1))).toMatchObject({ shredAfter: 2 });
  });

  it('a blind recipient is in nobody else’s record', () => {
    const made = message(['to', 'cc', 'bcc', 'bcc']);
    const related = (ordinal: number) => mailAcceptedRecord(made, ordinal).related.map(({ subject }) => subject);
    expect(related(0)).toEqual(['sender', 's1']);
    expect(related(1)).toEqual(['sender', 's0']);
    expect(related(2)).toEqual(['sender', 's0', 's1']);
  });

  it('carries a bounded number of others, never the recipient itself', () => {
    const made = message(Array.from({ length: 1_000 }, () => 'to' as const));
    for (const ordinal of [0, 5, 999]) {
      const subjects = mailAcceptedRecord(made, ordinal).related.map(({ subject }) => subject);
      expect(subjects).toHaveLength(1 + MAX_RELATED_RECIPIENTS);
      expect(subjects).not.toContain(`s${ordinal}`);
    }
  });
});
