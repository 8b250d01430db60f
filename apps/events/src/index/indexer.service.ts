import { Injectable } from '@nestjs/common';
import { recordId, type Envelope, type MailEvent, type Person, type Reply } from '@lethe/contracts';
import { Search, type BulkOutcome } from '@lethe/search';
import { metrics } from '@lethe/service';
import { ForgottenError, SealError, Vault, type Expected } from '@lethe/vault';
import { eventDocument, type OpenedEvent } from './event.document.ts';
import { isEventClass } from '../retention/event.lifecycle.ts';
import { EventLimits } from '../retention/event.limits.ts';
import { EventIndex } from './event.index.ts';

export type IndexOutcome =
  | { readonly kind: 'indexed' | 'past' | 'forgotten' }
  | { readonly kind: 'retry' | 'reject'; readonly reason: string };

const indexed = metrics.counter('events.indexed', { outcome: ['indexed', 'past', 'forgotten', 'retry', 'reject'] });

/** Projects events into Elasticsearch. Ids are deterministic, so a replay changes nothing. */
@Injectable()
export class IndexerService {
  private readonly underWay = new Set<Promise<unknown>>();

  constructor(
    private readonly vault: Vault,
    private readonly search: Search,
    private readonly index: EventIndex,
    private readonly limits: EventLimits,
  ) {}

  /** One outcome per event, in order. Rejects when the vault is away: nothing was indexed then. */
  async indexAll(events: readonly MailEvent[]): Promise<IndexOutcome[]> {
    const work = this.indexBatch(events);
    this.underWay.add(work);
    try {
      return await work;
    } finally {
      this.underWay.delete(work);
    }
  }

  /** Resolves once what is being indexed now has ended, one way or another: it may have been opened before a fence. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  private async indexBatch(events: readonly MailEvent[]): Promise<IndexOutcome[]> {
    const opened = await Promise.all(
      events.map(async (event) =>
        this.index.isPast(event.period) || this.limits.isPast(event)
          ? ({ kind: 'past' } as const)
          : this.openOrReject(event),
      ),
    );
    const documents = opened.filter((one) => 'event' in one);
    await Promise.all(documents.map(({ event }) => this.index.ensure(event.period)));
    const results = await this.search.bulkIndex(
      documents.map((one) => ({
        index: this.index.nameOf(one.event.period),
        id: one.event.id,
        document: { ...eventDocument(one), '@timestamp': Math.floor(one.event.at) },
      })),
    );
    const outcomeOf = new Map(documents.map((one, position) => [one, results[position] as BulkOutcome]));
    return opened.map((one) => {
      const outcome = 'event' in one ? this.outcome(one, outcomeOf.get(one) as BulkOutcome) : one;
      indexed.add(1, { outcome: outcome.kind });
      return outcome;
    });
  }

  /** A seal that is not this event's never opens: the event alone is refused, the others of its batch go on. */
  private async openOrReject(event: MailEvent): Promise<Awaited<ReturnType<IndexerService['open']>> | IndexOutcome> {
    // An index of another class would have no policy and no worker.
    if (!isEventClass(event.period.class)) return { kind: 'reject', reason: 'class' };
    try {
      return await this.open(event);
    } catch (error) {
      if (error instanceof SealError) return { kind: 'reject', reason: 'seal' };
      throw error;
    }
  }

  /** The erased stay erased: without the recipient's key there is no document, without another's that one is left out. */
  private async open(event: MailEvent): Promise<OpenedEvent | { kind: 'forgotten' }> {
    const { accountId: account, messageId, ordinal, recipient } = event;
    const sealedReply = 'deliveryStatus' in event ? event.deliveryStatus.reply : undefined;
    const [envelope, reply, related] = await Promise.all([
      this.openOne<Envelope>(recipient.envelope, { account, type: 'envelope', recordId: recordId(messageId, ordinal) }),
      sealedReply ? this.openOne<Reply>(sealedReply, { account, type: 'reply', recordId: event.id }) : null,
      Promise.all(
        event.related.map(({ person }) =>
          this.openOne<Person>(person, { account, type: 'person', recordId: messageId }),
        ),
      ),
    ]);
    if (!envelope) return { kind: 'forgotten' };
    return { event, envelope, related, reply };
  }

  private async openOne<T>(jwe: string, expected: Expected): Promise<T | null> {
    try {
      return await this.vault.open<T>(jwe, expected);
    } catch (error) {
      if (error instanceof ForgottenError) return null;
      throw error;
    }
  }

  private outcome({ event }: OpenedEvent, result: BulkOutcome): IndexOutcome {
    if (result.outcome === 'ok' || result.outcome === 'conflict') return { kind: 'indexed' };
    if (result.reason !== 'index_not_found_exception') return { kind: result.outcome, reason: result.reason };
    this.index.forget(event.period);
    return { kind: 'retry', reason: result.reason };
  }
}
