import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { periodOf, type Receipt } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { Clock, otherRequest } from '@lethe/service';
import { ForgottenError, Vault } from '@lethe/vault';
import type { PoolClient } from 'pg';

/** A little less than a day, so that the sweep keeps no row for longer than the limit of a day. */
const HONOURED = `interval '23 hours 55 minutes'`;

/** An order under a key, by keyed hashes: neither the key nor what came with it is kept. */
export interface Claim {
  readonly keyHash: Buffer;
  readonly bodyHash: Buffer;
}

/** The request an earlier order with this key made, and its salts; none once they can no longer be opened. */
export interface Repeated {
  readonly requestId: string;
  readonly salts: readonly string[] | null;
}

/** `Idempotency-Key`: the same order again is answered with the same request, for a day. */
@Injectable()
export class IdempotencyService {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  async claimOf(accountId: string, key: string, body: unknown): Promise<Claim> {
    const [keyHash, bodyHash] = await Promise.all([
      this.vault.keyedHash(accountId, 'idempotency-key', key),
      this.vault.keyedHash(accountId, 'idempotency-body', JSON.stringify(body)),
    ]);
    return { keyHash, bodyHash };
  }

  /** @throws ApiError 409 where the key came with another body. */
  async find(accountId: string, claim: Claim): Promise<Repeated | undefined> {
    const { rows } = await this.database.pool.query<{ body_hash: Buffer; request_id: string; receipt: string }>(
      `select body_hash, request_id, receipt from idempotency
       where account_id = $1 and key_hash = $2 and created_at > now() - ${HONOURED}`,
      [accountId, claim.keyHash],
    );
    const [row] = rows;
    if (!row) return undefined;
    if (!timingSafeEqual(row.body_hash, claim.bodyHash)) {
      throw otherRequest();
    }
    return { requestId: row.request_id, salts: await this.salts(accountId, row.request_id, row.receipt) };
  }

  /** Under the key of the account and of this time of day: within a day nobody can open it. */
  seal(accountId: string, requestId: string, salts: readonly string[]): Promise<string> {
    const receipt: Receipt = { salts: [...salts] };
    const period = periodOf('e1', this.clock.now());
    return this.vault.sealForAccount({ account: accountId, period, type: 'receipt', recordId: requestId }, receipt);
  }

  /** In the transaction of the request; false if an order with the same key was faster. Waits for one that is under way. */
  async claim(
    client: PoolClient,
    accountId: string,
    claim: Claim,
    requestId: string,
    receipt: string,
  ): Promise<boolean> {
    await client.query(
      `delete from idempotency where account_id = $1 and key_hash = $2 and created_at <= now() - ${HONOURED}`,
      [accountId, claim.keyHash],
    );
    const { rowCount } = await client.query(
      `insert into idempotency (account_id, key_hash, body_hash, request_id, receipt, created_at)
       values ($1, $2, $3, $4, $5, now()) on conflict do nothing`,
      [accountId, claim.keyHash, claim.bodyHash, requestId, receipt],
    );
    return rowCount === 1;
  }

  async expire(): Promise<void> {
    await this.database.pool.query(`delete from idempotency where created_at <= now() - ${HONOURED}`);
  }

  private async salts(accountId: string, requestId: string, receipt: string): Promise<readonly string[] | null> {
    try {
      const expected = { account: accountId, type: 'receipt', recordId: requestId };
      return (await this.vault.openForAccount<Receipt>(receipt, expected)).salts;
    } catch (error) {
      if (error instanceof ForgottenError) return null;
      throw error;
    }
  }
}
