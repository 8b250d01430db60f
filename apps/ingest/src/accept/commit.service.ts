import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { BodyStore, sealBody, type SealedBody } from '@lethe/bodies';
import { Database } from '@lethe/database';
import { Outbox, type OutboxGroup } from '@lethe/kafka';
import { ApiError, Batcher, CONFIG, Semaphore } from '@lethe/service';
import { ForgottenError, Vault } from '@lethe/vault';
import type { PoolClient } from 'pg';
import { type IngestConfig } from '../config.ts';
import { IdempotencyRepository, type Claimed } from '../idempotency/idempotency.repository.ts';
import type { Claim } from '../idempotency/idempotency.service.ts';
import { SentCountRepository } from '../permission/sent-count.repository.ts';
import type { Accept } from './accepts.under-way.ts';
import { ComingMessages } from './coming.messages.ts';
import { MessageRepository } from './message.repository.ts';
import type { SealedMessage } from './records.ts';
import { SealingService } from './sealing.service.ts';

export interface Committable {
  readonly message: SealedMessage;
  readonly raw: Buffer;
  readonly group: OutboxGroup;
  readonly accept: Accept;
  readonly claim?: Claim;
}

/** What became of one: committed; not, as an earlier request has its claim; or another transaction claims its key this moment. */
type Outcome = 'committed' | 'repeats' | 'held';

type Bodies = ReadonlyMap<Committable, SealedBody>;

/** Rolls back: somebody in it may not be committed any more. */
class Shaken extends Error {}

const MAX_COMMIT_BYTES = 8 * 1024 * 1024;
/** Transactions at once. While one is under way the next gathers, and the fewer there are, the more share what one costs. */
const COMMITS_AT_ONCE = 1;
/** How long a commit waits for messages that come soon: one of its own would cost as much again. */
const GATHER_MS = 10;
/** How long a repetition waits for the request whose key it has, whose process may hang; and how often it looks. */
const HELD_MS = 2_000;
const LOOK_MS = 25;

/**
 * The commit point (design §5): message, sealed body, sealed recipients and outbox row in one transaction. Concurrent
 * requests share it, so the disk is waited for once for all of them.
 */
@Injectable()
export class CommitService {
  private readonly batcher: Batcher<Committable, Outcome>;
  private readonly large: Semaphore;

  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly bodies: BodyStore,
    private readonly sealing: SealingService,
    coming: ComingMessages,
    private readonly messages: MessageRepository,
    private readonly sent: SentCountRepository,
    private readonly outbox: Outbox,
    private readonly idempotency: IdempotencyRepository,
    @Inject(CONFIG) config: IngestConfig,
  ) {
    this.batcher = new Batcher<Committable, Outcome>(
      {
        maxItems: config.COMMIT_MAX_MESSAGES,
        maxBytes: MAX_COMMIT_BYTES,
        sizeOf: ({ raw }) => raw.length,
        lingerMs: config.COMMIT_LINGER_MS,
        gather: { ms: GATHER_MS, more: () => coming.any() },
        maxQueued: config.REQUESTS_WAITING,
        concurrency: COMMITS_AT_ONCE,
      },
      (items) => this.commitAll(items),
    );
    this.large = new Semaphore(1, config.REQUESTS_WAITING);
  }

  /**
   * Resolves once the message is durable, all parts of it in one transaction; a rejection means it is not, or that the database died
   * while committing. ForgottenError: one of its people is being erased this moment. False: an earlier request has its claim, which all
   * parts carry, and nothing is kept of it. While one has it in a transaction this waits, outside of everybody else's.
   * @throws ApiError 503 when that does not end.
   */
  async commit(parts: readonly Committable[]): Promise<boolean> {
    const deadline = Date.now() + HELD_MS;
    for (;;) {
      const outcome = await this.attempt(parts);
      if (outcome !== 'held') return outcome === 'committed';
      const [{ claim } = {}] = parts;
      if (claim) await this.released(claim, deadline);
    }
  }

  /** Resolves once no transaction claims that key any more. @throws ApiError 503 past the deadline (epoch ms). */
  private async released(claim: Claim, deadline: number): Promise<void> {
    while (Date.now() <= deadline) {
      // One look after the other: each is a query.
      if (!(await this.idempotency.isHeld(claim))) return;
      await wait(LOOK_MS);
    }
    throw underWay();
  }

  private attempt(parts: readonly Committable[]): Promise<Outcome> {
    const [only, ...more] = parts;
    return only && more.length === 0 ? this.batcher.add(only) : this.large.run(() => this.commitTogether(parts));
  }

  private async commitTogether(parts: readonly Committable[]): Promise<Outcome> {
    const [outcome] = await this.withBodies(parts, async (bodies) => {
      const together = await this.insertTogether(parts, bodies);
      return parts.map(() => together);
    });
    if (outcome instanceof Error) throw outcome;
    return outcome ?? 'committed';
  }

  private async insertTogether(parts: readonly Committable[], bodies: Bodies): Promise<Outcome | Error> {
    if ((await this.standing(parts)).length < parts.length) return new ForgottenError('subject');
    try {
      const outcomes = await this.insertAll(parts, bodies);
      return outcomes.get(parts[0] as Committable) ?? 'committed';
    } catch (error) {
      if (error instanceof Shaken) return new ForgottenError('subject');
      throw error;
    }
  }

  private commitAll(items: readonly Committable[]): Promise<(Outcome | Error)[]> {
    return this.withBodies(items, async (bodies) => {
      for (let left = items; ;) {
        left = await this.standing(left);
        try {
          const outcomes = await this.insertAll(left, bodies);
          return items.map((item) => outcomes.get(item) ?? new ForgottenError('subject'));
        } catch (error) {
          if (!(error instanceof Shaken)) throw error;
        }
      }
    });
  }

  /** What the store cannot keep in the transaction, it keeps before, and gives up for those that are not committed. */
  private async withBodies(
    items: readonly Committable[],
    commit: (bodies: Bodies) => Promise<(Outcome | Error)[]>,
  ): Promise<(Outcome | Error)[]> {
    const bodies = await this.sealBodies(items);
    await this.bodies.prepare([...bodies.values()]);
    const outcomes = await commit(bodies);
    const left = items.flatMap((item, index) => (outcomes[index] === 'committed' ? [] : (bodies.get(item) ?? [])));
    if (left.length > 0) await this.bodies.discard(left);
    return outcomes;
  }

  private async sealBodies(items: readonly Committable[]): Promise<Bodies> {
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

  /** Answers what became of each. Throws Shaken if somebody was revoked before the commit: the others try again without them. */
  private async insertAll(items: readonly Committable[], bodies: Bodies): Promise<ReadonlyMap<Committable, Outcome>> {
    if (items.length === 0) return new Map();
    return this.database.withClientTransaction(async (client) => {
      const outcomes = await this.outcomes(client, items);
      const first = items.filter((item) => outcomes.get(item) === 'committed');
      if (first.length === 0) return outcomes;
      // In one go: they run in this order, and where one fails all that follow do.
      await Promise.all([
        this.messages.insertMany(
          client,
          first.map(({ message }) => message),
        ),
        this.bodies.insertMany(
          client,
          first.map((item) => bodies.get(item) as SealedBody),
        ),
        this.outbox.insertMany(
          client,
          first.map(({ group }) => group),
        ),
        // Last of the inserts, but for what of large bodies does not fit one statement: others of the account wait for its row.
        this.sent.add(
          client,
          first.map(({ message: { domain, recipients } }) => ({ domain, recipients: recipients.length })),
        ),
      ]);
      // The last word before COMMIT, and after the first insert: a fence waits for whoever has inserted.
      if (!first.every(({ accept, message }) => accept.standing(message) === 'stands')) throw new Shaken();
      return outcomes;
    });
  }

  /** What is to become of each: all are committed but those that repeat another request. */
  private async outcomes(client: PoolClient, items: readonly Committable[]): Promise<Map<Committable, Outcome>> {
    // Parts of one message share one.
    const claims = [...new Set(items.flatMap(({ claim }) => claim ?? []))];
    const { first, held } = claims.length === 0 ? NO_CLAIMS : await this.idempotency.claim(client, claims);
    const outcome = ({ claim }: Committable): Outcome => {
      if (claim === undefined || first.has(claim.id)) return 'committed';
      return held.has(claim.id) ? 'held' : 'repeats';
    };
    return new Map(items.map((item) => [item, outcome(item)]));
  }
}

const NO_CLAIMS: Claimed = { first: new Set(), held: new Set() };

const underWay = (): ApiError =>
  new ApiError(503, 'Idempotency-Key: the first request with it is under way: try again', { retryAfterSeconds: 2 });
