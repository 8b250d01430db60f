import { Database } from '@lethe/database';
import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { DoomedKey } from '../ledger/ledger.entry.ts';

export interface InFlightQuestion {
  readonly id: string;
  readonly attempts: number;
  readonly askAgainAt: Date;
  readonly keys: readonly DoomedKey[];
  /** `null`: not answered yet. */
  readonly inFlight: readonly string[] | null;
}

interface Row {
  id: string;
  attempts: number;
  ask_again_at: Date;
  messages: string[];
  drops: Date[];
  in_flight: string[] | null;
}

/** Older ones are removed and asked anew: a little less than the day that is their limit. */
const LONGEST = `interval '23 hours'`;

@Injectable()
export class InFlightRepository {
  constructor(private readonly database: Database) {}

  async of(asker: string): Promise<InFlightQuestion[]> {
    const { rows } = await this.database.pool.query<Row>(
      'select id, attempts, ask_again_at, messages, drops, in_flight from in_flight_question where asker = $1',
      [asker],
    );
    return rows.map((row) => ({
      id: row.id,
      attempts: row.attempts,
      askAgainAt: row.ask_again_at,
      keys: row.messages.map((messageId, index) => ({ messageId, dropAt: row.drops[index] as Date })),
      inFlight: row.in_flight,
    }));
  }

  async insert(
    asker: string,
    parts: readonly { id: string; keys: readonly DoomedKey[] }[],
    at: Date,
  ): Promise<InFlightQuestion[]> {
    await this.database.withClientTransaction(async (client) => {
      for (const { id, keys } of parts) {
        await client.query(
          'insert into in_flight_question (id, asker, ask_again_at, messages, drops) values ($1, $2, $3, $4, $5)',
          [id, asker, at, keys.map(({ messageId }) => messageId), keys.map(({ dropAt }) => dropAt)],
        );
      }
    });
    return parts.map(({ id, keys }) => ({ id, attempts: 0, askAgainAt: at, keys, inFlight: null }));
  }

  async asked(id: string, attempt: number, askAgainAt: Date): Promise<void> {
    await this.database.pool.query('update in_flight_question set attempts = $2, ask_again_at = $3 where id = $1', [
      id,
      attempt,
      askAgainAt,
    ]);
  }

  /** Takes an answer, once; only what was asked about counts. False: there is no such question, or no such attempt of it. */
  async receive(id: string, attempt: number, inFlight: readonly string[]): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `update in_flight_question
       set in_flight = coalesce(in_flight, array(select m from unnest(messages) as m where m::text = any($3)))
       where id = $1 and $2 between 1 and attempts`,
      [id, attempt, inFlight],
    );
    return rowCount === 1;
  }

  async exists(id: string): Promise<boolean> {
    const { rowCount } = await this.database.pool.query('select from in_flight_question where id = $1', [id]);
    return rowCount === 1;
  }

  async remove(client: PoolClient, asker: string): Promise<void> {
    await client.query('delete from in_flight_question where asker = $1', [asker]);
  }

  async expire(): Promise<void> {
    await this.database.pool.query(
      `delete from in_flight_question where asker in
         (select asker from in_flight_question where asked_at <= now() - ${LONGEST})`,
    );
  }
}
