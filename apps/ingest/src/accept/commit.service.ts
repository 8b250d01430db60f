import { Inject, Injectable } from '@nestjs/common';
import { BodyStore, sealBody } from '@lethe/bodies';
import { Database } from '@lethe/database';
import { Outbox, type OutboxGroup } from '@lethe/kafka';
import { Batcher, CONFIG } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { type IngestConfig } from '../config.ts';
import { MessageRepository } from './message.repository.ts';
import type { SealedMessage } from './records.ts';

export interface Committable {
  readonly message: SealedMessage;
  readonly raw: Buffer;
  readonly group: OutboxGroup;
}

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

  /** Resolves once the message is durable; a rejection means it is not, or that the database died while committing. */
  async commit(item: Committable): Promise<void> {
    await this.batcher.add(item);
  }

  private async commitAll(items: readonly Committable[]): Promise<undefined[]> {
    const refs = items.map(({ message }) => ({ messageId: message.id, dropAt: message.deadlines.dropAt }));
    const keys = await this.vault.createContentKeys(refs);
    const sealed = items.map(({ raw }, index) => {
      const ref = refs[index] as (typeof refs)[number];
      return { ...ref, sealed: sealBody(keys[index] as Buffer, ref.messageId, raw) };
    });
    await this.database.withClientTransaction(async (client) => {
      await this.messages.insertMany(
        client,
        items.map(({ message }) => message),
      );
      await this.bodies.insertMany(client, sealed);
      await this.outbox.insertMany(
        client,
        items.map(({ group }) => group),
      );
    });
    return items.map(() => undefined);
  }
}
