import { Injectable } from '@nestjs/common';
import {
  EVENT_CLASS_BY_DAYS,
  eventId,
  periodOf,
  recordId as recordIdOf,
  type DomainSettings,
  type Envelope,
  type EventsDays,
  type UnsubscribedEvent,
  type UnsubscribeLink,
} from '@lethe/contracts';
import { normalForm } from '@lethe/mail';
import { Clock } from '@lethe/service';
import { addresseeOf, ForgottenError, SealError, Vault } from '@lethe/vault';
import { EntriesPublisher } from '../entries/entries.publisher.ts';
import { pseudonymsOf, type Entry } from '../entries/entry.ts';
import { newEntry } from '../entries/new-entry.ts';
import { DomainsTable } from '../settings/domains.table.ts';

const TYPE = 'unsubscribe-link';
/** As delivery writes it: a compact JWE whose second part is empty, with one dot less. */
const LINK = /^([\w-]{1,800})\.([\w-]{16}\.[\w-]{1,1000}\.[\w-]{22})$/;
const RECORD = /^([0-9a-f-]{36})\/(\d{1,9})$/;

/** A link that was opened: who asks, about which mail of which domain. */
export interface Unsubscriber {
  readonly account: string;
  readonly subject: string;
  readonly domain: DomainSettings;
  readonly address: string;
  readonly messageId: string;
  readonly ordinal: number;
  readonly messageIdHeader: string;
}

/** Who followed the link in a message gets no more mail of its domain. */
@Injectable()
export class UnsubscribeService {
  constructor(
    private readonly vault: Vault,
    private readonly domains: DomainsTable,
    private readonly entries: EntriesPublisher,
    private readonly clock: Clock,
  ) {}

  /** Undefined where it is no link of ours, or leads nowhere any more: the person was forgotten, or the domain is gone. */
  async read(link: string): Promise<Unsubscriber | undefined> {
    const [, header = '', rest = ''] = LINK.exec(link) ?? [];
    try {
      const jwe = `${header}..${rest}`;
      const { account, subject, type, recordId } = addresseeOf(jwe);
      const [, messageId = '', ordinal = ''] = RECORD.exec(recordId) ?? [];
      if (type !== TYPE || subject === undefined || messageId === '') return undefined;
      const { address, domainId, messageIdHeader } = await this.vault.open<UnsubscribeLink>(jwe, {
        account,
        type,
        recordId,
      });
      const domain = this.domains.find(domainId);
      if (domain?.accountId !== account) return undefined;
      return { account, subject, domain, address, messageId, ordinal: Number(ordinal), messageIdHeader };
    } catch (error) {
      if (error instanceof SealError || error instanceof ForgottenError) return undefined;
      throw error;
    }
  }

  /** In force as any entry is. A repetition changes nothing and tells nothing. @throws ForgottenError */
  async unsubscribe(who: Unsubscriber): Promise<void> {
    const event = await this.eventOf(who);
    await this.entries.change({
      prepare: async () => [await this.entryOf(who)],
      people: pseudonymsOf,
      write: (entries, made) => entries.put(made, 'keep'),
      events: [event],
    });
  }

  private async entryOf({ account, subject, domain, address }: Unsubscriber): Promise<Entry> {
    const about = {
      scopeId: domain.domainId,
      reason: 'unsubscribe',
      pseudonym: await this.vault.pseudonym(account, normalForm(address)),
      accountId: account,
      subjectId: subject,
      createdAt: new Date(this.clock.now()),
    } as const;
    return newEntry(this.vault, about, { address, code: 0, error: '' });
  }

  /** The message may be gone by now: its envelope has what the link knows. */
  private async eventOf(who: Unsubscriber): Promise<UnsubscribedEvent> {
    const { account, subject, domain, address, messageId, ordinal, messageIdHeader } = who;
    const at = this.clock.now();
    const period = periodOf(EVENT_CLASS_BY_DAYS[domain.eventsDays as EventsDays], at);
    const envelope: Envelope = {
      address,
      subject: '',
      messageIdHeader,
      bodyHash: '',
      attachments: [],
      tags: [],
      variables: {},
    };
    const seal = { account, subject, period, type: 'envelope', recordId: recordIdOf(messageId, ordinal) } as const;
    return {
      id: eventId(messageId, ordinal, 0, 'unsubscribed'),
      type: 'unsubscribed',
      at,
      accountId: account,
      domainId: domain.domainId,
      messageId,
      ordinal,
      period,
      size: 0,
      testMode: false,
      recipient: { subject, role: 'to', envelope: await this.vault.seal(seal, envelope) },
      related: [],
    };
  }
}
