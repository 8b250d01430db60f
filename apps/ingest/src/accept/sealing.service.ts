import { createSecretKey, randomUUIDv7, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { BodyStore } from '@lethe/bodies';
import {
  MAX_RELATED_RECIPIENTS,
  periodOf,
  RETENTION,
  recordId,
  type DomainSettings,
  type Envelope,
  type Period,
  type Person,
  type Recipient,
  type RelatedPerson,
} from '@lethe/contracts';
import { CONFIG } from '@lethe/service';
import { FORGOTTEN, ForgottenError, Vault, type SubjectId } from '@lethe/vault';
import { type IngestConfig } from '../config.ts';
import { deadlines } from './deadlines.ts';
import { destinationPartition } from './destination.ts';
import type { SealedMessage } from './records.ts';
import { addressed } from './envelope.content.ts';
import type { Mailbox, Submission } from './submission.ts';

const DAY = 86_400_000;

/** Turns a submission into records that hold nothing personal in clear. The door: subjects are made here and only here. */
@Injectable()
export class SealingService {
  private readonly destinationKey: KeyObject;

  constructor(
    private readonly vault: Vault,
    private readonly bodies: BodyStore,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {
    this.destinationKey = createSecretKey(config.DESTINATION_KEY, 'hex');
  }

  /** @throws VaultUnavailableError, ForgottenError (the account or a person is being erased this moment). */
  async seal(
    submission: Submission,
    bodyHash: string,
    domain: DomainSettings,
    acceptedAt: number,
  ): Promise<SealedMessage> {
    const id = randomUUIDv7();
    const bodiesDays = this.daysOf(domain);
    const ends = deadlines({ ...domain, bodiesDays }, acceptedAt, this.config.MESSAGE_EXPIRY_MS, submission.deliverAt);
    const period = periodOf(ends.eventClass, acceptedAt);
    const { recipients: everyone, related, named = [] } = submission;
    const subjects = await this.subjectsOf(domain.accountId, [...everyone, ...related, ...named]);
    const subjectOf = (mailbox: Mailbox): SubjectId => subjects.get(mailbox.normalForm) as SubjectId;
    const person = (mailbox: Mailbox, role: RelatedPerson['role']): Promise<RelatedPerson> =>
      this.sealPerson(mailbox, role, subjectOf(mailbox), id, domain, period);

    const recipients = submission.recipients.map(async (recipient, ordinal): Promise<Recipient> => {
      const envelope: Envelope = {
        address: recipient.address,
        ...(recipient.name ? { name: recipient.name } : {}),
        ...addressed(submission, recipient),
        messageIdHeader: submission.messageIdHeader,
        bodyHash,
        attachments: [...submission.attachments],
        tags: [...submission.tags],
        ...(submission.template ? { template: submission.template as NonNullable<Envelope['template']> } : {}),
        ...(submission.originatingIp ? { originatingIp: submission.originatingIp } : {}),
      };
      const subject = subjectOf(recipient);
      // Erased since the list was read: under the same address there is somebody new now, who is on no list.
      const before = recipient.role === 'each' ? recipient.subject : undefined;
      if (before !== undefined && before !== subject) throw new ForgottenError('subject');
      const seal = { account: domain.accountId, subject, period, type: 'envelope', recordId: recordId(id, ordinal) };
      return { subject, role: recipient.role, envelope: await this.vault.seal(seal, envelope) };
    });

    // One more than is shown: a recipient's record leaves that recipient itself out.
    const visible = submission.recipients
      .map((recipient, ordinal) => ({ recipient, ordinal }))
      .filter(({ recipient: { role } }) => role === 'to' || role === 'cc')
      .slice(0, submission.recipients.length > 1 ? MAX_RELATED_RECIPIENTS + 1 : 0);

    return {
      id,
      acceptedAt,
      size: submission.raw.length,
      domain,
      deadlines: ends,
      recipients: await Promise.all(recipients),
      partitions: submission.recipients.map(({ normalForm }, ordinal) =>
        destinationPartition(this.destinationKey, normalForm.slice(normalForm.lastIndexOf('@') + 1), ordinal),
      ),
      senders: await Promise.all(related.map((mailbox) => person(mailbox, mailbox.role))),
      named: await Promise.all(named.map((mailbox) => person(mailbox, mailbox.role))),
      visible: await Promise.all(
        visible.map(async ({ recipient, ordinal }) => {
          const role = recipient.role === 'cc' ? 'cc' : 'to';
          return { ...(await person(recipient, role)), ordinal };
        }),
      ),
      submission,
    };
  }

  /** Whether the vault still stands by everything that was sealed for the message: nobody it concerns is cut off. */
  async opens({ id, domain, recipients, senders, named }: SealedMessage): Promise<boolean> {
    const account = domain.accountId;
    const opened = await this.vault.openMany([
      ...recipients.map(({ envelope }, ordinal) => ({
        jwe: envelope,
        expected: { account, type: 'envelope', recordId: recordId(id, ordinal) },
      })),
      ...[...senders, ...named].map(({ person }) => ({
        jwe: person,
        expected: { account, type: 'person', recordId: id },
      })),
    ]);
    return !opened.includes(FORGOTTEN);
  }

  private async subjectsOf(accountId: string, mailboxes: readonly Mailbox[]): Promise<Map<string, SubjectId>> {
    const normalForms = [...new Set(mailboxes.map(({ normalForm }) => normalForm))];
    const ids = await this.vault.subjectsFor(accountId, normalForms);
    return new Map(normalForms.map((normalForm, index) => [normalForm, ids[index] as SubjectId]));
  }

  /** What the store can keep; only by an instruction for longer than the limit of all others. */
  private daysOf({ bodiesDays }: DomainSettings): number {
    const { body, instructed } = this.bodies.longestMs;
    return Math.min(bodiesDays, (bodiesDays * DAY > RETENTION.body.limitMs ? instructed : body) / DAY);
  }

  private async sealPerson(
    mailbox: Mailbox,
    role: RelatedPerson['role'],
    subject: SubjectId,
    messageId: string,
    domain: DomainSettings,
    period: Period,
  ): Promise<RelatedPerson> {
    const person: Person = { address: mailbox.address, ...(mailbox.name ? { name: mailbox.name } : {}) };
    const seal = { account: domain.accountId, subject, period, type: 'person', recordId: messageId };
    return { role, subject, person: await this.vault.seal(seal, person) };
  }
}
