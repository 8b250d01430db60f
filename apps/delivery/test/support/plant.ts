import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { periodOf, type MailAccepted, type RelatedPerson } from '@lethe/contracts';
import type { PlantedPerson } from '@lethe/privacy-holder/conformance';
import type { ErasureScope } from '@lethe/privacy-holder';
import type { DeferredRepository } from '../../src/deferred/deferred.repository.ts';
import { accept } from './mail.ts';
import type { Surroundings } from './surroundings.ts';

const HOUR = 3_600_000;

export const KINDS = ['deferred', 'mention'] as const;

/** An address nobody had before; `word` says what the world does with it. */
export const somebody = (word = 'ok'): string => `${word}+${randomBytes(6).toString('hex')}@world.example`;

export const scopeOf = ({ accountId }: Surroundings, ...subjects: string[]): ErasureScope => ({
  requestId: randomUUIDv7(),
  accountId,
  subjects: new Set(subjects),
  cutOff: Date.now(),
  doNotContact: 'remove',
});

/** The person as a record of a message to others names them. */
export async function namedIn(
  { ingest, accountId }: Surroundings,
  subject: string,
  messageId: string,
  role: RelatedPerson['role'],
): Promise<RelatedPerson> {
  const period = periodOf('e30', Date.now());
  const seal = { account: accountId, subject, period, type: 'person', recordId: messageId };
  return { role, subject, person: await ingest.vault.seal(seal, { address: 'who@world.example' }) };
}

/** Records that wait for another hour. */
export async function defer(deferred: DeferredRepository, records: readonly MailAccepted[]): Promise<void> {
  await Promise.all(
    records.map((record) =>
      deferred.put({ record, partition: 0, attempt: 1, maybeDuplicate: false }, Date.now() + HOUR),
    ),
  );
}

/** A new person who waits for two mails, one of them of their own, and is named in the mail of others. */
export async function plantPerson(around: Surroundings, deferred: DeferredRepository): Promise<PlantedPerson> {
  const address = somebody();
  const subject = await around.subjectOf(address);
  const [alone, together, own, others] = await accept(around, [
    { to: [address] },
    { to: [address, somebody(), somebody()] },
    { to: [address] },
    { to: [somebody(), somebody()] },
  ]);
  const naming = (record: MailAccepted, ...people: RelatedPerson[]): MailAccepted => ({
    ...record,
    related: [...record.related, ...people],
  });
  const [theirs, ...rest] = together.records;
  const shown = await namedIn(around, subject, together.messageId, 'to');
  const answered = await namedIn(around, subject, others.messageId, 'reply-to');
  const from = await namedIn(around, subject, own.messageId, 'from');
  await defer(deferred, [
    ...alone.records,
    theirs,
    ...rest.map((record) => naming(record, shown)),
    ...own.records.map((record) => naming(record, from)),
    ...others.records.map((record) => naming(record, answered, { ...answered, role: 'from' })),
  ]);
  return { subject, planted: { deferred: 3, mention: 6 } };
}

/** Every row that is not one of these people's, without the elements that name them. */
export async function rowsOfOthers({ database }: Surroundings, people: readonly string[]): Promise<unknown> {
  const { rows } = await database.query<{ record: string }>('select * from deferred order by message_id, ordinal');
  return rows.flatMap((row) => {
    const record = JSON.parse(row.record) as MailAccepted;
    if (people.includes(record.recipient.subject)) return [];
    const related = record.related.filter(({ subject }) => !people.includes(subject));
    return { ...row, record: { ...record, related } };
  });
}
