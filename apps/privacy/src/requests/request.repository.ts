import { Injectable } from '@nestjs/common';
import type { DoNotContact } from '@lethe/contracts';
import { Database } from '@lethe/database';
import type { PoolClient } from 'pg';
import type { Page } from './page.token.ts';
import type { AskedStep, RequestType, State } from './request.ts';

/** One address or alias, by keyed and salted hash. */
export interface Identifier {
  readonly subject: number;
  readonly identifier: number;
  readonly pseudonym: Buffer;
  readonly digest: Buffer;
}

export interface ReceivedRequest {
  readonly id: string;
  readonly accountId: string;
  readonly type: RequestType;
  readonly subjects: number;
  readonly doNotContact: DoNotContact;
  /** Sealed. */
  readonly overrideReason: string | null;
  readonly reference: string | null;
  readonly referenceHash: Buffer | null;
  readonly receivedAt: Date;
  readonly dueAt: Date;
  readonly by: string;
  readonly identifiers: readonly Identifier[];
}

interface RequestRow {
  id: string;
  account_id: string;
  type: RequestType;
  state: State;
  subjects: number;
  do_not_contact: DoNotContact;
  override_reason: string | null;
  reference: string | null;
  received_at: Date;
  due_at: Date;
  cut_off: Date | null;
  completed_at: Date | null;
  certificate: string | null;
}

export interface AnswerRow {
  request_id: string;
  service: string;
  step: AskedStep;
  attempts: number;
  acknowledged_at: Date | null;
  found: Record<string, number>;
  removed: Record<string, number>;
  residual: Record<string, number>;
  error: string | null;
}

interface HistoryRow {
  request_id: string;
  state: State;
  at: Date;
  by: string;
}

/** A request with all that its account is shown of it. */
export interface RequestRecord extends RequestRow {
  answers: AnswerRow[];
  history: HistoryRow[];
}

const SELECT = `select id, account_id, type, state, subjects, do_not_contact, override_reason, reference, received_at, due_at,
  cut_off, completed_at, certificate from request`;

/** Requests as the API writes and reads them; what the worker does with them is in `open-request.repository.ts`. */
@Injectable()
export class RequestRepository {
  constructor(private readonly database: Database) {}

  /** How many of an account's requests are not over. */
  async unfinished(client: PoolClient, accountId: string): Promise<number> {
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int as n from request where account_id = $1 and stage <> 'done'`,
      [accountId],
    );
    return rows[0]?.n ?? 0;
  }

  async insert(client: PoolClient, request: ReceivedRequest): Promise<void> {
    await client.query(
      `insert into request (id, account_id, type, state, stage, subjects, do_not_contact, override_reason, reference,
         reference_hash, received_at, due_at)
       values ($1, $2, $3, 'received', 'hold', $4, $5, $6, $7, $8, $9, $10)`,
      [
        request.id,
        request.accountId,
        request.type,
        request.subjects,
        request.doNotContact,
        request.overrideReason,
        request.reference,
        request.referenceHash,
        request.receivedAt,
        request.dueAt,
      ],
    );
    const column = <T>(value: (identifier: Identifier) => T): T[] => request.identifiers.map(value);
    await client.query(
      `insert into request_subject (request_id, subject, identifier, pseudonym, digest)
       select $1, s, i, p, d from unnest($2::int[], $3::int[], $4::bytea[], $5::bytea[]) as t(s, i, p, d)`,
      [
        request.id,
        column(({ subject }) => subject),
        column(({ identifier }) => identifier),
        column(({ pseudonym }) => pseudonym),
        column(({ digest }) => digest),
      ],
    );
    await client.query(`insert into request_history (request_id, state, at, by) values ($1, 'received', $2, $3)`, [
      request.id,
      request.receivedAt,
      request.by,
    ]);
  }

  /** Undefined also for another account's. That of a subaccount which is closed is its parent's to see. */
  async find(accountId: string, id: string): Promise<RequestRecord | undefined> {
    const [record] = await this.read(`${SELECT} where (account_id = $1 or parent_id = $1) and id = $2`, [
      accountId,
      id,
    ]);
    return record;
  }

  /** Newest first; ids are in the order of time. */
  async list(accountId: string, { filter, cursor, backwards }: Page): Promise<RequestRecord[]> {
    const records = await this.read(
      `${SELECT} where (account_id = $1 or parent_id = $1)
         and ($2::text is null or state = $2)
         and ($3::timestamptz is null or due_at < $3)
         and ($4::bytea is null or reference_hash = $4)
         and ($8::text is null or type = $8)
         and ($5::uuid is null or (case when $6 then id > $5 else id < $5 end))
       order by case when $6 then id end asc, case when not $6 then id end desc
       limit $7`,
      [
        accountId,
        filter.state ?? null,
        filter.dueBefore === undefined ? null : new Date(filter.dueBefore),
        filter.reference === undefined ? null : Buffer.from(filter.reference, 'base64url'),
        cursor,
        backwards,
        filter.limit,
        filter.type ?? null,
      ],
    );
    return backwards ? records.toReversed() : records;
  }

  /** Ends a request nothing was done for yet; false if it is too late or not the account's. */
  cancel(accountId: string, id: string, at: Date, by: string): Promise<boolean> {
    return this.database.withClientTransaction(async (client) => {
      const { rowCount } = await client.query(
        `update request set state = 'cancelled', stage = 'done' where account_id = $1 and id = $2 and state = 'received'
           and type = 'erasure'`,
        [accountId, id],
      );
      if (rowCount !== 1) return false;
      await client.query('update request_subject set pseudonym = null where request_id = $1', [id]);
      await client.query(`insert into request_history (request_id, state, at, by) values ($1, 'cancelled', $2, $3)`, [
        id,
        at,
        by,
      ]);
      return true;
    });
  }

  /** As of one moment: a state never stands beside the history or the answers of another. */
  private read(select: string, values: unknown[]): Promise<RequestRecord[]> {
    return this.database.withClientTransaction(async (client) => {
      await client.query('set transaction isolation level repeatable read, read only');
      const { rows } = await client.query<RequestRow>(select, values);
      if (rows.length === 0) return [];
      const ids = rows.map(({ id }) => id);
      const answers = await client.query<AnswerRow>(
        `select request_id, service, step, attempts, acknowledged_at, found, removed, residual, error
         from holder_answer where request_id = any($1)`,
        [ids],
      );
      const history = await client.query<HistoryRow>(
        `select request_id, state, at, by from request_history where request_id = any($1)
         order by at, array_position(array['received', 'identified', 'executing', 'verifying'], state)`,
        [ids],
      );
      const answersOf = Map.groupBy(answers.rows, (answer) => answer.request_id);
      const historyOf = Map.groupBy(history.rows, (entry) => entry.request_id);
      return rows.map((row) => ({
        ...row,
        answers: answersOf.get(row.id) ?? [],
        history: historyOf.get(row.id) ?? [],
      }));
    });
  }
}
