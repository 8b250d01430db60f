import { Injectable } from '@nestjs/common';
import { recordId, type Envelope, type FailedEvent, type Reply } from '@lethe/contracts';
import { done, forgotten, reject, type Outcome } from '@lethe/kafka';
import { normalForm } from '@lethe/mail';
import { ForgottenError, SealError, Vault } from '@lethe/vault';
import { EntriesPublisher } from '../entries/entries.publisher.ts';
import { pseudonymsOf, type Entry } from '../entries/entry.ts';
import { newEntry } from '../entries/new-entry.ts';

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Turns mail that found no mailbox into entries: nobody writes there again. */
@Injectable()
export class FailuresService {
  constructor(
    private readonly vault: Vault,
    private readonly entries: EntriesPublisher,
  ) {}

  /** One outcome per event, in order. Rejects when a store is away: nothing was changed then. */
  async suppressAll(events: readonly FailedEvent[]): Promise<Outcome[]> {
    if (events.length === 0) return [];
    const outcomes = new Map<FailedEvent, Outcome>();
    await this.entries.change({
      prepare: async () => {
        const made = await Promise.all(events.map((event) => this.entryOrOutcome(event)));
        for (const [index, event] of events.entries()) {
          const one = made[index];
          if (one && 'kind' in one) outcomes.set(event, one);
        }
        return made.filter((one): one is Entry => !('kind' in one));
      },
      people: pseudonymsOf,
      // The first failure stays: a replay changes nothing and is not published again.
      write: (entries, made) => entries.put(made, 'keep'),
    });
    return events.map((event) => outcomes.get(event) ?? done());
  }

  private async entryOrOutcome(event: FailedEvent): Promise<Entry | Outcome> {
    // Ids that no database takes would fail the others of the batch with them, for ever.
    const ids = [event.accountId, event.domainId, event.recipient.subject];
    if (!ids.every((id) => UUID.test(id))) return reject('id');
    try {
      return await this.entryOf(event);
    } catch (error) {
      if (error instanceof ForgottenError) return forgotten();
      if (error instanceof SealError) return reject('seal');
      throw error;
    }
  }

  /** What the door sealed says who it is; what the server said is masked already (delivery). */
  private async entryOf(event: FailedEvent): Promise<Entry> {
    const { accountId: account, messageId, ordinal, recipient, deliveryStatus } = event;
    const [envelope, reply] = await Promise.all([
      this.vault.open<Envelope>(recipient.envelope, {
        account,
        type: 'envelope',
        recordId: recordId(messageId, ordinal),
      }),
      deliveryStatus.reply === undefined
        ? undefined
        : this.vault.open<Reply>(deliveryStatus.reply, { account, type: 'reply', recordId: event.id }),
    ]);
    const { address } = envelope;
    const about = {
      scopeId: event.domainId,
      reason: 'bounce',
      pseudonym: await this.vault.pseudonym(account, normalForm(address)),
      accountId: account,
      subjectId: recipient.subject,
      createdAt: new Date(event.at),
    } as const;
    return newEntry(this.vault, about, { address, code: deliveryStatus.code, error: reply?.text ?? '' });
  }
}
