import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { SealedMessage } from './records.ts';

const INSERT_MESSAGES = `
  WITH related AS (
    INSERT INTO message_related (message_id, ordinal, subject_id, role, person)
    SELECT * FROM unnest($12::uuid[], $13::int[], $14::uuid[], $15::text[], $16::text[])
  )
  INSERT INTO message (id, account_id, domain_id, key_id, accepted_at, expires_at, drop_at, event_class, method, size,
                       test_mode, stored)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[],
                       $7::timestamptz[], $8::text[], $9::text[], $10::int[], $11::bool[], $17::text[])`;

const INSERT_RECIPIENTS = `
  INSERT INTO message_recipient (message_id, ordinal, subject_id, role, envelope)
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[])`;

/** Two statements for any number of messages: the commit is shared, so is the round trip. */
@Injectable()
export class MessageRepository {
  async insertMany(client: PoolClient, messages: readonly SealedMessage[]): Promise<void> {
    const all = <T>(read: (message: SealedMessage) => T): T[] => messages.map(read);
    const people = messages.flatMap(({ id, senders, named }) =>
      [...senders, ...named].map((person, ordinal) => ({ id, ordinal, ...person })),
    );
    const inserting = client.query({
      name: 'insert-messages',
      text: INSERT_MESSAGES,
      values: [
        all(({ id }) => id),
        all(({ domain }) => domain.accountId),
        all(({ domain }) => domain.domainId),
        all(({ submission }) => submission.keyId),
        all(({ acceptedAt }) => new Date(acceptedAt)),
        all(({ deadlines }) => new Date(deadlines.expiresAt)),
        all(({ deadlines }) => deadlines.dropAt),
        all(({ deadlines }) => deadlines.eventClass),
        all(({ submission }) => submission.method),
        all(({ size }) => size),
        all(({ submission }) => submission.testMode),
        people.map(({ id }) => id),
        people.map(({ ordinal }) => ordinal),
        people.map(({ subject }) => subject),
        people.map(({ role }) => role),
        people.map(({ person }) => person),
        all(({ domain }) => (domain.bodiesDays === 0 ? 'never' : 'readable')),
      ],
    });
    const rows = messages.flatMap(({ id, recipients }) =>
      recipients.map((recipient, ordinal) => ({ id, ordinal, ...recipient })),
    );
    const insertingRecipients = client.query({
      name: 'insert-recipients',
      text: INSERT_RECIPIENTS,
      values: [
        rows.map(({ id }) => id),
        rows.map(({ ordinal }) => ordinal),
        rows.map(({ subject }) => subject),
        rows.map(({ role }) => role),
        rows.map(({ envelope }) => envelope),
      ],
    });
    await Promise.all([inserting, insertingRecipients]);
  }
}
