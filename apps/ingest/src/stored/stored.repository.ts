import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { ContentKeyOf } from '@lethe/vault';
import type { PoolClient } from 'pg';

/** A message whose content may be shown, if the vault still has its key. */
export interface StoredMessage {
  readonly id: string;
  readonly dropAt: Date;
  /** Octets of the message. */
  readonly size: number;
}

/** Whose messages, and accepted after when: a domain whose retention was shortened shows nothing older. */
export interface Shelf {
  readonly accountId: string;
  readonly domainId: string;
  readonly since: Date;
}

export interface SealedEnvelope {
  readonly ordinal: number;
  readonly envelope: string;
}

/** Each has 64 KiB and an address at most. */
const ENVELOPES = 20;
/** Told to the vault with one call. */
const BATCH = 500;

const ON_SHELF = `id = $1 AND account_id = $2 AND domain_id = $3 AND accepted_at > $4 AND stored = 'readable'`;

/**
 * Kafka has all of them: a message that waits in the outbox is not told of before, because whoever destroys its key looks for what
 * is left to be sent in Kafka and behind it.
 */
const REMOVED = `
  SELECT id, drop_at FROM message
   WHERE stored = 'removed' AND NOT EXISTS (SELECT FROM outbox WHERE outbox.id = message.id)
   ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;

@Injectable()
export class StoredRepository {
  constructor(private readonly database: Database) {}

  async find(id: string, shelf: Shelf): Promise<StoredMessage | undefined> {
    const { rows } = await this.database.pool.query<{ id: string; drop_at: Date; size: number }>({
      name: 'find-stored',
      text: `SELECT id, drop_at, size FROM message WHERE ${ON_SHELF}`,
      values: valuesOf(id, shelf),
    });
    const [row] = rows;
    return row && { id: row.id, dropAt: row.drop_at, size: row.size };
  }

  /** Envelopes of those it is for, in order behind `after`, sealed, some at a time; who was erased is not among them. */
  async envelopes(id: string, after: number): Promise<SealedEnvelope[]> {
    const { rows } = await this.database.pool.query<SealedEnvelope>(
      `SELECT ordinal, envelope FROM message_recipient WHERE message_id = $1 AND ordinal > $2
        ORDER BY ordinal LIMIT ${ENVELOPES}`,
      [id, after],
    );
    return rows;
  }

  /** False if it was not readable any more. */
  async remove(id: string, shelf: Shelf): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `UPDATE message SET stored = 'removed' WHERE ${ON_SHELF}`,
      valuesOf(id, shelf),
    );
    return rowCount === 1;
  }

  /** Some removed messages that the vault has not been told of, each for this transaction alone. Replicas take different ones. */
  async removed(client: PoolClient): Promise<ContentKeyOf[]> {
    const { rows } = await client.query<{ id: string; drop_at: Date }>(REMOVED);
    return rows.map(({ id, drop_at: dropAt }) => ({ messageId: id, dropAt }));
  }

  async condemned(client: PoolClient, ids: readonly string[]): Promise<void> {
    await client.query(`UPDATE message SET stored = 'condemned' WHERE id = ANY($1::uuid[])`, [ids]);
  }
}

const valuesOf = (id: string, { accountId, domainId, since }: Shelf): unknown[] => [id, accountId, domainId, since];
