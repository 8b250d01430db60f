import { MAIL_ACCEPTED, MAX_MESSAGE_IDS } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { BarrierService } from '../barrier/barrier.service.ts';
import type { DoomedKey } from '../ledger/ledger.entry.ts';
import type { Ends } from '../requests/request.ts';
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
  /** What it asks about next, and where the records to be sent ended when it had read that. */
  private page: { readonly keys: readonly DoomedKey[]; readonly ends: Ends } | undefined;

  constructor(
    private readonly database: Database,
    private readonly keeper: VaultKeeper,
    private readonly inFlight: InFlightService,
    private readonly barrier: BarrierService,
  ) {}

  /**
   * What a request condemned, or undefined while delivery has not said all. A body that another request condemned too is in both
   * answers, also when the other one's entry has destroyed its key already: it names people of both.
   */
  ofRequest(requestId: string): Promise<Release | undefined> {
    return this.inFlight.answer(requestId, () => this.keeper.condemned(requestId, MOST));
  }

  /**
   * A page of what is left: of requests that are past their own release, and of messages that their account has removed; the next call
   * after `forget` answers the next page.
   */
  ofTheRest(): Promise<Release | undefined> {
    return this.inFlight.answer('rest', async () => {
      this.page ??= await this.nextPage();
      const { keys, ends } = this.page;
      // A message may be removed before delivery has heard of it. It does not wait there, and still has to be sent.
      if (keys.length > 0 && (await this.barrier.behind(ends)).length > 0) return [];
      this.page = undefined;
      return keys;
    });
  }

  private async nextPage(): Promise<{ keys: readonly DoomedKey[]; ends: Ends }> {
    // Whatever stage is not known here to be past the release counts as before it: it is only waited for.
    const { rows } = await this.database.pool.query<{ id: string }>(
      `select id from request where stage <> 'done' and stage not in ('destroy', 'verify', 'certify', 'close')`,
    );
    const early = rows.map(({ id }) => id);
    const keys = await this.keeper.condemnedLeft(early, this.after, PAGE);
    // Those that are still waited for must not keep the ones behind them from being looked at.
    this.after = keys.length < PAGE ? undefined : keys.at(-1);
    if (keys.length === 0) return { keys, ends: {} };
    // Ingest condemns a removed message once all of it is in Kafka: it is before these ends.
    const { [MAIL_ACCEPTED.name]: accepted } = await this.barrier.ends();
    if (accepted === undefined) throw new Error('The barrier does not know where the records to be sent end');
    return { keys, ends: { [MAIL_ACCEPTED.name]: accepted } };
  }

  /** In the transaction that uses the answer. */
  forget(client: PoolClient, asker: string): Promise<void> {
    return this.inFlight.forget(client, asker);
  }
}
