import { MAX_MESSAGE_IDS } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { DoomedKey } from '../ledger/ledger.entry.ts';
import { InFlightService, type Release } from './in-flight.service.ts';

/** More than could ever name the people of one request; what lies beyond is left to the sweep. */
const MOST = 200_000;

/** What one look of the sweep asks about: a question to delivery, and a ledger entry. */
const PAGE = MAX_MESSAGE_IDS;

/**
 * Bodies that name an erased person while the message is still being sent to others: nobody reads them any more (the vault
 * refuses), and their keys go as soon as the last recipient is through.
 */
@Injectable()
export class ReleaseService {
  /** The sweep's place among what is left. A restart begins anew. */
  private after: DoomedKey | undefined;

  constructor(
    private readonly database: Database,
    private readonly keeper: VaultKeeper,
    private readonly inFlight: InFlightService,
  ) {}

  /**
   * What a request condemned, or undefined while delivery has not said all. A body that another request condemned too is in both
   * answers, also when the other one's entry has destroyed its key already: it names people of both.
   */
  ofRequest(requestId: string): Promise<Release | undefined> {
    return this.inFlight.answer(requestId, () => this.keeper.condemned(requestId, MOST));
  }

  /** A page of what is left of requests that are past their own release; the next call after `forget` answers the next page. */
  ofTheRest(): Promise<Release | undefined> {
    return this.inFlight.answer('rest', async () => {
      // Whatever stage is not known here to be past the release counts as before it: it is only waited for.
      const { rows } = await this.database.pool.query<{ id: string }>(
        `select id from request where stage <> 'done' and stage not in ('destroy', 'verify', 'certify', 'close')`,
      );
      const early = rows.map(({ id }) => id);
      const page = await this.keeper.condemnedLeft(early, this.after, PAGE);
      // Those that are still waited for must not keep the ones behind them from being looked at.
      this.after = page.length < PAGE ? undefined : page.at(-1);
      return page;
    });
  }

  /** In the transaction that uses the answer. */
  forget(client: PoolClient, asker: string): Promise<void> {
    return this.inFlight.forget(client, asker);
  }
}
