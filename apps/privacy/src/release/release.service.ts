import { Database } from '@lethe/database';
import { type CondemnedKey, VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { DoomedKey } from '../ledger/ledger.entry.ts';
import { InFlightService } from './in-flight.service.ts';

/** More than could ever be condemned at once; what lies beyond comes with the next look. */
const MOST = 200_000;

/** Condemned bodies, told apart. */
export interface Release {
  /** Nobody is sent them any more: their keys can go. */
  readonly free: readonly DoomedKey[];
  /** Others still wait for them. */
  readonly waiting: readonly DoomedKey[];
}

/**
 * Bodies that name an erased person while the message is still being sent to others: nobody reads them any more (the vault
 * refuses), and their keys go as soon as the last recipient is through.
 */
@Injectable()
export class ReleaseService {
  constructor(
    private readonly database: Database,
    private readonly keeper: VaultKeeper,
    private readonly inFlight: InFlightService,
  ) {}

  /**
   * What a request condemned, or undefined while delivery has not said all. A body that an earlier request of the same account
   * condemned is counted too: the vault notes only the first, and it may name this one's people as well.
   */
  ofRequest(requestId: string, accountId: string): Promise<Release | undefined> {
    return this.look(requestId, async (keys) => {
      const ids = [...new Set(keys.map((key) => key.requestId))];
      const { rows } = await this.database.pool.query<{ id: string }>(
        'select id from request where id = any($1) and account_id = $2',
        [ids, accountId],
      );
      return new Set(rows.map(({ id }) => id));
    });
  }

  /** What is left of requests that are past their own release. */
  ofTheRest(): Promise<Release | undefined> {
    return this.look('rest', async (keys) => {
      const ids = [...new Set(keys.map((key) => key.requestId))];
      const { rows } = await this.database.pool.query<{ id: string }>(
        `select id from request where id = any($1) and stage in ('hold', 'cut-off', 'fence', 'barrier', 'erase', 'release')`,
        [ids],
      );
      const early = new Set(rows.map(({ id }) => id));
      return new Set(ids.filter((id) => !early.has(id)));
    });
  }

  /** In the transaction that uses the answer. */
  forget(client: PoolClient, asker: string): Promise<void> {
    return this.inFlight.forget(client, asker);
  }

  private async look(
    asker: string,
    requestsOf: (keys: readonly CondemnedKey[]) => Promise<ReadonlySet<string>>,
  ): Promise<Release | undefined> {
    const answer = await this.inFlight.answer(asker, async () => {
      const condemned = await this.keeper.condemned(MOST);
      if (condemned.length === 0) return [];
      const requests = await requestsOf(condemned);
      return condemned.filter(({ requestId }) => requests.has(requestId)).map(({ messageId }) => messageId);
    });
    if (answer === undefined) return undefined;
    if (answer.asked.size === 0) return { free: [], waiting: [] };
    const keys = (await this.keeper.condemned(MOST))
      .filter(({ messageId }) => answer.asked.has(messageId))
      .map(({ messageId, dropAt }) => ({ messageId, dropAt }));
    return {
      free: keys.filter(({ messageId }) => !answer.inFlight.has(messageId)),
      waiting: keys.filter(({ messageId }) => answer.inFlight.has(messageId)),
    };
  }
}
