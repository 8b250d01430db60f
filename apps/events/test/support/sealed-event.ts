import { randomUUIDv7 } from 'node:crypto';
import { eventId, periodOf, recordId, type Envelope, type EventClass, type MailEvent } from '@lethe/contracts';
import type { Vault } from '@lethe/vault';

export interface Mail {
  to: string;
  from?: string;
  /** Others the message shows, besides `to`. */
  cc?: string[];
  subject?: string;
  size?: number;
  tags?: string[];
  at?: number;
  class?: EventClass;
  type?: MailEvent['type'];
  /** Not the sender's. */
  domainId?: string;
  variables?: Envelope['variables'];
  template?: Envelope['template'];
  originatingIp?: string;
  /** Sealed for another record: it can never be opened. */
  poisoned?: boolean;
}

export interface Sender {
  vault: Vault;
  account: string;
  domainId: string;
}

/** An event as ingest and delivery publish it, sealed by the real vault. */
export async function sealedEvent({ vault, account, domainId }: Sender, mail: Mail): Promise<MailEvent> {
  const { to, from = 'Alice <alice@sender.example>', cc = [], at = Date.now(), type = 'accepted' } = mail;
  const messageId = randomUUIDv7();
  const period = periodOf(mail.class ?? 'e30', at);
  const shown = [
    { role: 'from' as const, ...mailbox(from) },
    ...cc.map((one) => ({ role: 'cc' as const, ...mailbox(one) })),
  ];
  const [subject, ...subjects] = await vault.subjectsFor(account, [to, ...shown.map(({ address }) => address)]);
  const envelope: Envelope = {
    address: to,
    subject: mail.subject ?? 'Hello there',
    messageIdHeader: `${messageId}@events.example`,
    bodyHash: 'x',
    attachments: [{ filename: 'Report May.pdf', contentType: 'application/pdf', size: 9 }],
    tags: mail.tags ?? [],
    variables: mail.variables ?? { order: '42' },
    ...(mail.template ? { template: mail.template } : {}),
    ...(mail.originatingIp ? { originatingIp: mail.originatingIp } : {}),
  };
  const bound = { account, period };
  const related = shown.map(async ({ role, address, name }, index) => {
    const own = { ...bound, subject: subjects[index] };
    const person = await vault.seal({ ...own, type: 'person', recordId: messageId }, { address, name });
    return { role, subject: own.subject, person };
  });
  const about = {
    id: eventId(
      messageId,
      0,
      type === 'accepted' || type === 'unsubscribed' ? 0 : 1,
      type === 'failed' ? 'permanent' : type,
    ),
    at,
    accountId: account,
    domainId: mail.domainId ?? domainId,
    messageId,
    ordinal: 0,
    period,
    size: mail.size ?? 1_000,
    testMode: false,
    recipient: {
      subject: subject,
      role: 'to' as const,
      envelope: await vault.seal(
        {
          ...bound,
          subject: subject,
          type: 'envelope',
          recordId: recordId(messageId, mail.poisoned ? 7 : 0),
        },
        envelope,
      ),
    },
    related: await Promise.all(related),
  };
  const deliveryStatus = { code: 550, attempt: 1, sessionSeconds: 0.5, tls: true, maybeDuplicate: false };
  if (type === 'accepted') return { ...about, type, method: 'http', keyId: 'key' };
  if (type === 'unsubscribed') return { ...about, type };
  if (type === 'delivered') return { ...about, type, deliveryStatus: { ...deliveryStatus, code: 250 } };
  return { ...about, type, severity: 'permanent', reason: 'bounce', noSuchMailbox: false, deliveryStatus };
}

function mailbox(text: string): { address: string; name: string } {
  const [, name = '', address = text] = /^(.*?) <(.*)>$/.exec(text) ?? [];
  return { address, name };
}
