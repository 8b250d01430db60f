import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { PoolClient } from 'pg';
import type { Claim, Once } from './idempotency.service.ts';

/** A little less than a day, so that the retention worker keeps no row for longer than the limit of a day. */
const HONOURED = `interval '23 hours 55 minutes'`;
/** Whoever writes a claim has the lock of its key until the end of the transaction. */
const KEY_LOCK = `hashtextextended('idempotency/' || domain_id || '/' || encode(key_hash, 'hex'), 0)`;

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

/** Ids of claims. */
export interface Claimed {
  readonly first: ReadonlySet<string>;
  readonly held: ReadonlySet<string>;
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
   * In the transaction of the messages: answers the ids of those claims whose key nobody had before, and of those whose key another
   * transaction claims this moment. It waits for none: whoever shares the transaction has nothing to do with it.
   */
  async claim(client: PoolClient, claims: readonly Claim[]): Promise<Claimed> {
    // Of the same key in one transaction, the first.
    const first = new Map<string, Claim>();
    for (const claim of claims) if (!first.has(keyOf(claim))) first.set(keyOf(claim), claim);
    const all = [...first.values()];
    const locked = await client.query<{ id: string }>({
      name: 'lock-idempotency',
      text: `SELECT id FROM unnest($1::uuid[], $2::bytea[], $3::uuid[]) AS c(domain_id, key_hash, id)
              WHERE pg_try_advisory_xact_lock(${KEY_LOCK})`,
      values: [all.map(({ domain }) => domain.domainId), all.map(({ keyHash }) => keyHash), all.map(({ id }) => id)],
    });
    const free = new Set(locked.rows.map(({ id }) => id));
    const ours = all.filter(({ id }) => free.has(id));
    const { rows } = await client.query<{ id: string }>({
      name: 'claim-idempotency',
      text: CLAIM,
      values: [
        ours.map(({ domain }) => domain.domainId),
        ours.map(({ keyHash }) => keyHash),
        ours.map(({ requestHash }) => requestHash),
        ours.map(({ id }) => id),
        ours.map(({ answer }) => answer),
      ],
    });
    const held = claims.filter((claim) => !free.has(first.get(keyOf(claim))?.id ?? ''));
    return { first: new Set(rows.map(({ id }) => id)), held: new Set(held.map(({ id }) => id)) };
  }

  /** Whether a transaction claims the key this moment. */
  async isHeld({ domain, keyHash }: Once): Promise<boolean> {
    const { rows } = await this.database.pool.query<{ free: boolean }>({
      name: 'held-idempotency',
      text: `SELECT pg_try_advisory_xact_lock_shared(${KEY_LOCK}) AS free FROM (SELECT $1::uuid AS domain_id, $2::bytea AS key_hash) c`,
      values: [domain.domainId, keyHash],
    });
    return rows[0]?.free !== true;
  }

  async expire(): Promise<void> {
    await this.database.pool.query(`DELETE FROM idempotency WHERE created_at <= now() - ${HONOURED}`);
  }
}

const keyOf = ({ domain, keyHash }: Once): string => `${domain.domainId}/${keyHash.toString('hex')}`;
