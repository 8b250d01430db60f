import { Inject, Injectable } from '@nestjs/common';
import { BodyStore, sealBody, type SealedBody } from '@lethe/bodies';
import { Database } from '@lethe/database';
import { Outbox, type OutboxGroup } from '@lethe/kafka';
import { Batcher, CONFIG } from '@lethe/service';
import { ForgottenError, Vault } from '@lethe/vault';
import { type IngestConfig } from '../config.ts';
import type { Accept } from './accepts.under-way.ts';
import { MessageRepository } from './message.repository.ts';
import type { SealedMessage } from './records.ts';
import { SealingService } from './sealing.service.ts';

export interface Committable {
  readonly message: SealedMessage;
  readonly raw: Buffer;
  readonly group: OutboxGroup;
  readonly accept: Accept;
}

/** Rolls back: somebody in it may not be committed any more. */
class Shaken extends Error {}

const MAX_COMMIT_BYTES = 8 * 1024 * 1024;
/** Transactions at once: while one waits for the disk, the next gathers. */
const COMMITS_AT_ONCE = 2;

/**
 * The commit point (design §5): message, sealed body, sealed recipients and outbox row in one transaction. Concurrent
 * requests share it, so the disk is waited for once for all of them.
 */
@Injectable()
export class CommitService {
  private readonly batcher: Batcher<Committable, undefined>;

  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly bodies: BodyStore,
    private readonly sealing: SealingService,
    private readonly messages: MessageRepository,
    private readonly outbox: Outbox,
    @Inject(CONFIG) config: IngestConfig,
  ) {
    this.batcher = new Batcher<Committable, undefined>(
      {
        maxItems: config.COMMIT_MAX_MESSAGES,
        maxBytes: MAX_COMMIT_BYTES,
        sizeOf: ({ raw }) => raw.length,
        lingerMs: config.COMMIT_LINGER_MS,
        maxQueued: config.REQUESTS_WAITING,
        concurrency: COMMITS_AT_ONCE,
      },
      (items) => this.commitAll(items),
    );
  }

  /**
   * Resolves once the message is durable; a rejection means it is not, or that the database died while committing.
   * ForgottenError: one of its people is being erased this moment.
   */
  async commit(item: Committable): Promise<void> {
    await this.batcher.add(item);
  }

  private async commitAll(items: readonly Committable[]): Promise<(undefined | Error)[]> {
    const bodies = await this.sealBodies(items);
    let standing = items;
    do standing = await this.standing(standing);
    while (!(await this.insertAll(standing, bodies)));
    const committed = new Set(standing);
    return items.map((item) => (committed.has(item) ? undefined : new ForgottenError('subject')));
  }

  private async sealBodies(items: readonly Committable[]): Promise<Map<Committable, SealedBody>> {
    const refs = items.map(({ message }) => ({ messageId: message.id, dropAt: message.deadlines.dropAt }));
    const keys = await this.vault.createContentKeys(refs);
    return new Map(
      items.map((item, index) => {
        const ref = refs[index] as (typeof refs)[number];
        return [item, { ...ref, sealed: sealBody(keys[index] as Buffer, ref.messageId, item.raw) }];
      }),
    );
  }

  /** Those that may be committed as they are sealed. */
  private async standing(items: readonly Committable[]): Promise<Committable[]> {
    const stand = await Promise.all(
      items.map(async ({ accept, message }) => {
        const standing = accept.standing(message);
        if (standing !== 'unsure') return standing === 'stands';
        accept.asked();
        return this.sealing.opens(message);
      }),
    );
    return items.filter((_, index) => stand[index]);
  }

  /** Answers whether it is done; not if somebody was revoked before the commit. The others try again without them. */
  private async insertAll(items: readonly Committable[], bodies: Map<Committable, SealedBody>): Promise<boolean> {
    if (items.length === 0) return true;
    try {
      await this.database.withClientTransaction(async (client) => {
        await this.messages.insertMany(
          client,
          items.map(({ message }) => message),
        );
        await this.bodies.insertMany(
          client,
          items.map((item) => bodies.get(item) as SealedBody),
        );
        await this.outbox.insertMany(
          client,
          items.map(({ group }) => group),
        );
        // The last word before COMMIT, and after the first insert: a fence waits for whoever has inserted.
        if (!items.every(({ accept, message }) => accept.standing(message) === 'stands')) throw new Shaken();
      });
      return true;
    } catch (error) {
      if (error instanceof Shaken) return false;
      throw error;
    }
  }
}
