import { createHash, randomUUIDv7 } from 'node:crypto';
import { dropTime, sealBody } from '@lethe/bodies';
import { MAIL_ACCEPTED, periodOf, recordId, type Envelope, type MailAccepted } from '@lethe/contracts';
import { inTransaction } from '@lethe/database';
import { dkimBodyHash, normalForm } from '@lethe/mail';
import type { Surroundings } from './surroundings.ts';

export const SENDER = 'news@sender.example';

export interface Mail {
  to: string[];
  body?: string;
  /** Fields of the record that are to differ. */
  record?: Partial<MailAccepted>;
  maybeDuplicate?: boolean;
}

export interface AcceptedMail {
  messageId: string;
  raw: Buffer;
  records: MailAccepted[];
}

const text = (messageId: string, body: string): Buffer =>
  Buffer.from(
    [
      `From: News <${SENDER}>`,
      'To: someone@world.example',
      'Subject: A test',
      `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <${messageId}@sender.example>`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      '',
      body,
      '',
    ].join('\r\n'),
  );

/** Accepts messages the way ingest does: sealed envelopes and body, one record a recipient. Not published yet. */
export async function accept({ ingest, accountId, domain }: Surroundings, mails: Mail[]): Promise<AcceptedMail[]> {
  const { vault, bodies, pool } = ingest;
  const acceptedAt = Date.now();
  const dropAt = dropTime(new Date(acceptedAt));
  const period = periodOf('e30', acceptedAt);
  const made = mails.map((mail) => {
    const messageId = randomUUIDv7();
    return {
      mail,
      messageId,
      raw: text(messageId, mail.body ?? 'Hello.\r\n.a line that begins with a dot\r\n..\r\nEnd.'),
    };
  });
  const keys = await vault.createContentKeys(made.map(({ messageId }) => ({ messageId, dropAt })));
  const sealed = made.map(({ messageId, raw }, index) => ({
    messageId,
    dropAt,
    sealed: sealBody(keys[index], messageId, raw),
  }));
  await inTransaction(pool, (client) => bodies.insertMany(client, sealed));
  return Promise.all(
    made.map(async ({ mail, messageId, raw }) => {
      const [sender, ...subjects] = await vault.subjectsFor(accountId, [SENDER, ...mail.to.map(normalForm)]);
      const bodyHash = dkimBodyHash(raw);
      const about = { account: accountId, period };
      const person = await vault.seal(
        { ...about, subject: sender, type: 'person', recordId: messageId },
        { address: SENDER, name: 'News' },
      );
      const records = await Promise.all(
        mail.to.map(async (address, ordinal): Promise<MailAccepted> => {
          const subject = subjects[ordinal];
          const envelope: Envelope = {
            address,
            subject: 'A test',
            messageIdHeader: `${messageId}@sender.example`,
            bodyHash,
            attachments: [],
            tags: [],
            variables: {},
          };
          const seal = { ...about, subject, type: 'envelope', recordId: recordId(messageId, ordinal) };
          return {
            messageId,
            ordinal,
            accountId,
            domainId: domain.domainId,
            acceptedAt,
            expiresAt: acceptedAt + 3_600_000,
            dropAt: dropAt.getTime(),
            eventClass: 'e30',
            size: raw.length,
            testMode: false,
            dkim: true,
            requireTls: false,
            recipient: { subject, role: 'to', envelope: await vault.seal(seal, envelope) },
            related: [{ role: 'from', subject: sender, person }],
            ...mail.record,
          };
        }),
      );
      return { messageId, raw, records };
    }),
  );
}

export async function publish(
  { ingest }: Surroundings,
  records: MailAccepted[],
  maybeDuplicate = false,
): Promise<void> {
  await ingest.publisher.publish(
    MAIL_ACCEPTED,
    records.map((value) => ({
      key: value.messageId,
      value,
      id: recordId(value.messageId, value.ordinal),
      type: 'mail-accepted',
      partition: createHash('sha256').update(`${value.messageId}${value.ordinal}`).digest().readUInt8(0) % 64,
      maybeDuplicate,
    })),
  );
}

/** Accepts and publishes one message. */
export async function send(around: Surroundings, mail: Mail): Promise<AcceptedMail> {
  const [accepted] = await accept(around, [mail]);
  await publish(around, accepted.records, mail.maybeDuplicate);
  return accepted;
}
