import { Database } from '@lethe/database';
import { Clock } from '@lethe/service';
import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { type Doom, entryHash, type LedgerEntry, NO_HASH } from './ledger.entry.ts';

interface Row {
  position: string;
  kind: Doom['kind'];
  request_id: string;
  account_id: string | null;
  subjects: string[];
  messages: string[];
  drops: Date[];
  at: Date;
  previous_hash: Buffer;
  hash: Buffer;
}

/** An entry does not follow from the one before: somebody rewrote the ledger, past its trigger. Nothing is opened by it. */
export class LedgerBrokenError extends Error {
  override readonly name = 'LedgerBrokenError';
  readonly code = 'LEDGER_BROKEN';
  constructor(position: number) {
    super(`The erasure ledger is not whole at entry ${position}: restore this database from a backup that is`);
  }
}

/** The erasure ledger: which keys have to be gone. Added to, and read in order. */
@Injectable()
export class LedgerRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Adds an entry in the caller's transaction, after every other one and after what the vault has applied (it may be ahead of a
   * ledger that came from a backup). Answers its position.
   */
  async append(client: PoolClient, doom: Doom, vaultPosition: number): Promise<number> {
    await client.query('lock table erasure_ledger in exclusive mode');
    const { rows } = await client.query<Pick<Row, 'position' | 'hash'>>(
      'select position, hash from erasure_ledger order by position desc limit 1',
    );
    const [last] = rows;
    const entry = {
      ...doom,
      position: Math.max(Number(last?.position ?? 0), vaultPosition) + 1,
      at: new Date(this.clock.now()),
      previousHash: last?.hash ?? NO_HASH,
    };
    await client.query(
      `insert into erasure_ledger (position, kind, request_id, account_id, subjects, messages, drops, at, previous_hash, hash)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        entry.position,
        entry.kind,
        entry.requestId,
        entry.accountId,
        entry.subjects,
        entry.messages.map(({ messageId }) => messageId),
        entry.messages.map(({ dropAt }) => dropAt),
        entry.at,
        entry.previousHash,
        entryHash(entry),
      ],
    );
    return entry.position;
  }

  /** Position of the last entry; 0 where there is none. */
  async head(): Promise<number> {
    const { rows } = await this.database.pool.query<{ head: string }>(
      'select coalesce(max(position), 0) as head from erasure_ledger',
    );
    return Number(rows[0]?.head ?? 0);
  }

  /** Entries after `position`, in order. Throws LedgerBrokenError where the chain of hashes does not hold. */
  async after(position: number, limit: number): Promise<LedgerEntry[]> {
    const { rows } = await this.database.pool.query<Row>(
      `(select * from erasure_ledger where position <= $1 order by position desc limit 1)
       union all (select * from erasure_ledger where position > $1 order by position limit $2) order by position`,
      [position, limit],
    );
    const entries = rows.map(toEntry);
    for (const [index, entry] of entries.entries()) {
      const before = entries[index - 1];
      const follows = before === undefined || entry.previousHash.equals(before.hash);
      if (!follows || !entry.hash.equals(entryHash(entry))) throw new LedgerBrokenError(entry.position);
    }
    return entries.filter((entry) => entry.position > position);
  }

  /** How many different keys were destroyed for a request. */
  async destroyed(requestId: string): Promise<{ subjects: number; contentKeys: number }> {
    const { rows } = await this.database.pool.query<{ subjects: number; messages: number }>(
      `select
         (select count(distinct s)::int from erasure_ledger cross join lateral unnest(subjects) as s
          where request_id = $1) as subjects,
         (select count(distinct m)::int from erasure_ledger cross join lateral unnest(messages) as m
          where request_id = $1) as messages`,
      [requestId],
    );
    return { subjects: rows[0]?.subjects ?? 0, contentKeys: rows[0]?.messages ?? 0 };
  }
}

function toEntry(row: Row): LedgerEntry {
  return {
    position: Number(row.position),
    kind: row.kind,
    requestId: row.request_id,
    accountId: row.account_id,
    subjects: row.subjects,
    messages: row.messages.map((messageId, index) => ({ messageId, dropAt: row.drops[index] as Date })),
    at: row.at,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}
