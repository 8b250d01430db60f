import { Database } from '@lethe/database';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { pseudonymsOf } from '../requests/open-request.repository.ts';

/**
 * Repeats the fences of unfinished requests: a vault that comes back from a backup may be from before them, and the ledger names
 * whom they cut off only later. To a vault that has them it changes nothing.
 */
@Injectable()
export class FenceRepeater {
  constructor(
    private readonly database: Database,
    private readonly keeper: VaultKeeper,
  ) {}

  /** In the order in which they were ordered: a later request takes in whom an earlier one cut off. */
  async repeat(): Promise<void> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      `select id from request where stage <> 'done' and cut_off is not null order by id`,
    );
    for (const { id } of rows) await this.fence(id);
  }

  private fence(id: string): Promise<void> {
    return this.database.withClientTransaction(async (client) => {
      // Locked, so that it does not come to its end meanwhile: a fence that is made after that stays for good.
      const { rows: requests } = await client.query<{ account_id: string }>(
        `select account_id from request where id = $1 and stage <> 'done' for share`,
        [id],
      );
      const [request] = requests;
      const pseudonyms = await pseudonymsOf(client, id);
      if (request === undefined || pseudonyms.length === 0) return;
      await this.keeper.fence(id, request.account_id, pseudonyms);
    });
  }
}
