import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { PoolClient } from 'pg';
import type { Claim, Once } from './idempotency.service.ts';

/** A little less than a day, so that the retention worker keeps no row for longer than the limit of a day. */
const HONOURED = `interval '23 hours 55 minutes'`;
/** A request whose process hangs in the midst of its commit must not hold up those that share one with its repetition. */
const WAIT = '2s';
/** PostgreSQL's lock_not_available. */
const LOCKED = '55P03';

/** Another transaction has the key of one of them, and takes too long. */
export class ClaimHeldError extends Error {
  override readonly name = 'ClaimHeldError';
}

/** In the order of the keys, so that no two transactions wait in a circle. A row past its day gives way. */
const CLAIM = `
  INSERT INTO idempotency AS i (domain_id, key_hash, request_hash, id, answer)
  SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::uuid[], $5::text[]) ORDER BY 1, 2
  ON CONFLICT (domain_id, key_hash) DO UPDATE
     SET request_hash = excluded.request_hash, id = excluded.id, answer = excluded.answer, created_at = now()
   WHERE i.created_at <= now() - ${HONOURED}
  RETURNING id`;

export interface Kept {
  readonly id: string;
  readonly requestHash: Buffer;
  /** Sealed. */
  readonly answer: string;
}

@Injectable()
export class IdempotencyRepository {
  constructor(private readonly database: Database) {}

  async find({ domain, keyHash }: Once): Promise<Kept | undefined> {
    const { rows } = await this.database.pool.query<{ id: string; request_hash: Buffer; answer: string }>({
      name: 'find-idempotency',
      text: `SELECT id, request_hash, answer FROM idempotency
              WHERE domain_id = $1 AND key_hash = $2 AND created_at > now() - ${HONOURED}`,
      values: [domain.domainId, keyHash],
    });
    const [row] = rows;
    return row && { id: row.id, requestHash: row.request_hash, answer: row.answer };
  }

  /**
   * In the transaction of the messages: answers the ids of those claims whose key nobody had before. Waits for transactions that claim
   * the same keys this moment.
   * @throws ClaimHeldError when one of them does not end; the transaction is lost then.
   */
  async claim(client: PoolClient, claims: readonly Claim[]): Promise<ReadonlySet<string>> {
    // Of the same key in one transaction, the first.
    const first = new Map<string, Claim>();
    for (const claim of claims) {
      const key = `${claim.domain.domainId}/${claim.keyHash.toString('hex')}`;
      if (!first.has(key)) first.set(key, claim);
    }
    const all = [...first.values()];
    try {
      await client.query(`SELECT set_config('lock_timeout', '${WAIT}', true)`);
      const { rows } = await client.query<{ id: string }>({
        name: 'claim-idempotency',
        text: CLAIM,
        values: [
          all.map(({ domain }) => domain.domainId),
          all.map(({ keyHash }) => keyHash),
          all.map(({ requestHash }) => requestHash),
          all.map(({ id }) => id),
          all.map(({ answer }) => answer),
        ],
      });
      // What follows in this transaction waits as long as it has to.
      await client.query(`SELECT set_config('lock_timeout', '0', true)`);
      return new Set(rows.map(({ id }) => id));
    } catch (error) {
      throw (error as { code?: unknown }).code === LOCKED ? new ClaimHeldError() : error;
    }
  }

  async expire(): Promise<void> {
    await this.database.pool.query(`DELETE FROM idempotency WHERE created_at <= now() - ${HONOURED}`);
  }
}
