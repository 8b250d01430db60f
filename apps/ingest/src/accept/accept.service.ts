import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { MAIL_ACCEPTED, MAIL_EVENTS, recordId, type DomainSettings } from '@lethe/contracts';
import { Outbox, OutboxFullError, Publisher, type EncodedRecord, type OutboxGroup } from '@lethe/kafka';
import { dkimBodyHash } from '@lethe/mail';
import { ApiError, isUnavailable, Log, metrics, OverloadedError } from '@lethe/service';
import { ForgottenError, VaultUnavailableError } from '@lethe/vault';
import type { Claim } from '../idempotency/idempotency.service.ts';
import { AcceptsUnderWay } from './accepts.under-way.ts';
import { CommitService, type Committable } from './commit.service.ts';
import { acceptedEventRecord, mailAcceptedRecord, type SealedMessage } from './records.ts';
import { SealingService } from './sealing.service.ts';
import { inGroups, type Submission } from './submission.ts';

const accepted = metrics.counter('mail.accepted', { method: ['http', 'smtp'], outcome: ['accepted', 'unavailable'] });

/** How long publishing in the same request may hold up the drain at shutdown. */
const PUBLISH_WAIT_MS = 10_000;

/** A message acknowledged is never lost: it is sealed, committed, and only then answered; publishing follows. */
@Injectable()
export class AcceptService implements BeforeApplicationShutdown {
  private readonly publishing = new Set<Promise<unknown>>();

  constructor(
    private readonly underWay: AcceptsUnderWay,
    private readonly sealing: SealingService,
    private readonly commits: CommitService,
    private readonly outbox: Outbox,
    private readonly publisher: Publisher,
    private readonly log: Log,
  ) {}

  /** @throws ApiError 503 while too many committed messages wait for Kafka. */
  assertRoom(): void {
    try {
      this.outbox.assertRoom();
    } catch (error) {
      throw unavailable(error);
    }
  }

  /**
   * Resolves once the message is durable, whole or not at all. Before that point a store that is away is a 503; after it
   * nothing fails: what cannot be published now, the outbox relay publishes. False, and nothing is kept: the key of `claim` is an
   * earlier request's. `come` is called when it can be committed (`ComingMessages`).
   */
  async accept(
    submission: Submission,
    domain: DomainSettings,
    acceptedAt: number,
    come: () => void,
    claim?: Claim,
  ): Promise<boolean> {
    const accept = this.underWay.begin();
    try {
      const bodyHash = dkimBodyHash(submission.raw);
      const items = await Promise.all(
        inGroups(submission).map(async (part): Promise<Committable> => {
          const message = await this.sealing.seal(part, bodyHash, domain, acceptedAt);
          const group = { id: message.id, records: this.recordsOf(message) };
          return { message, raw: submission.raw, group, accept, ...(claim && { claim }) };
        }),
      ).finally(come);
      if (!(await this.commits.commit(items))) return false;
      this.publishBehind(items.map(({ group }) => group));
      accepted.add(1, { method: submission.method, outcome: 'accepted' });
      for (const { message } of items) {
        this.log.info('message.accepted', {
          messageId: message.id,
          recipients: message.recipients.length,
          size: message.size,
        });
      }
      return true;
    } catch (error) {
      const failed = unavailable(error);
      // What is refused is no trouble of ours.
      if (!(failed instanceof ApiError && failed.status < 500)) {
        accepted.add(1, { method: submission.method, outcome: 'unavailable' });
      }
      throw failed;
    } finally {
      accept.end();
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.publishing);
  }

  private recordsOf(message: SealedMessage): EncodedRecord[] {
    const time = message.acceptedAt;
    const events = message.recipients.map((_, ordinal) => acceptedEventRecord(message, ordinal));
    return [
      ...this.publisher.encode(
        MAIL_EVENTS,
        events.map((value) => ({ key: message.id, value, id: value.id, type: value.type, time })),
      ),
      ...this.publisher.encode(
        MAIL_ACCEPTED,
        message.recipients.map((_, ordinal) => ({
          key: message.id,
          value: mailAcceptedRecord(message, ordinal),
          partition: message.partitions[ordinal] as number,
          id: recordId(message.id, ordinal),
          type: 'mail.ready',
          time,
        })),
      ),
    ];
  }

  private publishBehind(groups: OutboxGroup[]): void {
    const publishing = this.outbox
      .publishNow(groups, PUBLISH_WAIT_MS)
      .finally(() => this.publishing.delete(publishing));
    this.publishing.add(publishing);
  }
}

/** Nothing was acknowledged and nothing is half-done: try again. */
function unavailable(error: unknown): unknown {
  if (error instanceof OutboxFullError) {
    return new ApiError(503, 'mail is accepted faster than it can be passed on: try again later', {
      retryAfterSeconds: 10,
    });
  }
  if (error instanceof VaultUnavailableError || error instanceof OverloadedError || isUnavailable(error)) {
    return new ApiError(503, 'a store is not available: try again', { retryAfterSeconds: 2 });
  }
  if (error instanceof ForgottenError) {
    return new ApiError(503, 'an erasure is under way: try again', { retryAfterSeconds: 2 });
  }
  return error;
}
