import { randomUUIDv7 } from 'node:crypto';
import {
  eventId,
  MAIL_EVENTS,
  periodOf,
  recordId,
  type Envelope,
  type FailedEvent,
  type Reply,
} from '@lethe/contracts';
import { normalForm } from '@lethe/mail';
import type { Domain, Surroundings } from './surroundings.ts';

export interface Failure {
  to: string;
  code?: number;
  /** As delivery leaves it: masked. */
  reply?: string;
  at?: number;
  severity?: FailedEvent['severity'];
  noSuchMailbox?: boolean;
  /** Sealed for another record: it can never be opened. */
  poisoned?: boolean;
}

/** A `failed` event as delivery makes it of a record ingest has sealed. */
export async function failedEvent({ vault }: Surroundings, domain: Domain, failure: Failure): Promise<FailedEvent> {
  const { to, code = 550, reply = '5.1.1 <recipient>: no such mailbox', at = Date.now() } = failure;
  const { account, domainId } = domain;
  const messageId = randomUUIDv7();
  const id = eventId(messageId, 0, 1, failure.severity ?? 'permanent');
  const period = periodOf('e30', at);
  const [subject] = (await vault.ingest.subjectsFor(account, [normalForm(to)])) as [string];
  const envelope: Envelope = {
    address: to,
    subject: 'Hello',
    messageIdHeader: `${messageId}@example`,
    bodyHash: 'x',
    attachments: [],
    tags: [],
    variables: {},
  };
  const bound = { account, subject, period };
  const part: Reply = { text: reply };
  return {
    id,
    at,
    accountId: account,
    domainId,
    messageId,
    ordinal: 0,
    period,
    size: 1_000,
    testMode: false,
    recipient: {
      subject,
      role: 'to',
      envelope: await vault.ingest.seal(
        { ...bound, type: 'envelope', recordId: recordId(messageId, failure.poisoned ? 7 : 0) },
        envelope,
      ),
    },
    related: [],
    type: 'failed',
    severity: failure.severity ?? 'permanent',
    reason: 'bounce',
    noSuchMailbox: failure.noSuchMailbox ?? true,
    deliveryStatus: {
      code,
      attempt: 1,
      sessionSeconds: 0.1,
      tls: true,
      maybeDuplicate: false,
      reply: await vault.ingest.seal({ ...bound, type: 'reply', recordId: id }, part),
    },
  };
}

export async function publishEvents({ events }: Surroundings, made: readonly FailedEvent[]): Promise<void> {
  await events.publish(
    MAIL_EVENTS,
    made.map((event) => ({ key: event.messageId, value: event, id: event.id, type: event.type, time: event.at })),
  );
}

/** One mailbox after the other that does not exist. */
export async function fail(around: Surroundings, domain: Domain, ...failures: Failure[]): Promise<FailedEvent[]> {
  const made = await Promise.all(failures.map((failure) => failedEvent(around, domain, failure)));
  await publishEvents(around, made);
  return made;
}
