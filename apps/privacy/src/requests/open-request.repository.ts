import { Injectable } from '@nestjs/common';
import type { DoNotContact } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { Clock } from '@lethe/service';
import type { PoolClient } from 'pg';
import type { Kept } from './completed-request.ts';
import type { Ends, OpenRequest, RequestType, Stage, State } from './request.ts';

/** What becomes known of a request on its way. */
export interface Findings {
  cutOff?: Date;
  domains?: readonly string[];
  contentKeys?: number;
  barrier?: Ends;
  ledgerPosition?: number;
  unreadableAt?: Date;
  expungedAt?: Date;
  kept?: readonly Kept[];
  completedAt?: Date;
  certificate?: string;
}

interface Row {
  id: string;
  account_id: string;
  type: RequestType;
  state: State;
  stage: Stage;
  do_not_contact: DoNotContact;
  received_at: Date;
  cut_off: Date | null;
  domains: string[];
  barrier: Ends | null;
  ledger_position: string | null;
  unreadable_at: Date | null;
  expunged_at: Date | null;
  asked: number;
  missing: number;
  ask_at: Date | null;
}

const COLUMNS: Record<keyof Findings, string> = {
  cutOff: 'cut_off',
  domains: 'domains',
  contentKeys: 'content_keys',
  barrier: 'barrier',
  ledgerPosition: 'ledger_position',
  unreadableAt: 'unreadable_at',
  expungedAt: 'expunged_at',
  kept: 'kept',
  completedAt: 'completed_at',
  certificate: 'certificate',
};
const JSON_COLUMNS = new Set(['barrier', 'kept']);

/** One statement for all that is unfinished, so that a thousand requests cost one look. */
const OPEN = `
  select row_number() over (partition by r.account_id order by r.id) as turn, r.id, r.account_id, r.type, r.state, r.stage, r.do_not_contact, r.received_at, r.cut_off, r.domains, r.barrier, r.ledger_position,
    r.unreadable_at, r.expunged_at, a.asked, a.missing, a.ask_at
  from request r cross join lateral (
    select count(*)::int as asked, count(*) filter (where h.acknowledged_at is null)::int as missing,
      min(h.ask_again_at) filter (where h.acknowledged_at is null) as ask_at
    from holder_answer h where h.request_id = r.id and h.step = r.stage
  ) a where r.stage <> 'done'`;

/** Requests as the worker sees them. A request moves in one transaction with what was found on the way. */
@Injectable()
export class OpenRequestRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** The oldest of every account, then the second of every one: who orders much at once is served beside the others, not before. */
  async all(limit: number): Promise<OpenRequest[]> {
    const { rows } = await this.database.pool.query<Row>(`${OPEN} order by turn, r.id limit $1`, [limit]);
    return rows.map(toRequest);
  }

  async one(id: string): Promise<OpenRequest | undefined> {
    const { rows } = await this.database.pool.query<Row>(`${OPEN} and r.id = $1`, [id]);
    return rows.map(toRequest)[0];
  }

  /**
   * On to the next stage, once: false, with nothing changed, if the request is not where it was (cancelled, or moved by a
   * worker that has lost its lock since). `also` runs in the same transaction.
   */
  move(
    request: OpenRequest,
    to: { stage: Stage; state?: State; findings?: Findings },
    also?: (client: PoolClient) => Promise<void>,
  ): Promise<boolean> {
    const { stage, state = request.state, findings = {} } = to;
    const found = Object.entries(findings) as [keyof Findings, unknown][];
    const sets = found.map(([name], index) => `, ${COLUMNS[name]} = $${index + 5}`).join('');
    const values = found.map(([name, value]) => (JSON_COLUMNS.has(name) ? JSON.stringify(value) : value));
    return this.database.withClientTransaction(async (client) => {
      const { rowCount } = await client.query(
        `update request set stage = $3, state = $4${sets} where id = $1 and stage = $2`,
        [request.id, request.stage, stage, state, ...values],
      );
      if (rowCount !== 1) return false;
      if (state !== request.state) {
        await client.query(
          `insert into request_history (request_id, state, at, by) values ($1, $2, $3, 'platform') on conflict do nothing`,
          [request.id, state, findings.completedAt ?? new Date(this.clock.now())],
        );
      }
      await also?.(client);
      return true;
    });
  }

  /** Whether the account has other requests that are not over. */
  async othersOpen({ id, accountId }: OpenRequest): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `select from request where account_id = $1 and id <> $2 and stage <> 'done' limit 1`,
      [accountId, id],
    );
    return rowCount === 1;
  }

  /** Whom the vault cut off for it, each once. */
  async subjectIds(id: string): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ subject: string }>(
      `select distinct unnest(subject_ids) as subject from request_subject where request_id = $1 order by 1`,
      [id],
    );
    return rows.map(({ subject }) => subject);
  }

  pseudonyms(id: string): Promise<Buffer[]> {
    return pseudonymsOf(this.database.pool, id);
  }

  /** Of the given subject ids, those that an erasure is over for already: nothing of them is anywhere. */
  async finished(subjects: readonly string[]): Promise<Set<string>> {
    const { rows } = await this.database.pool.query<{ subject: string }>(
      `select distinct s.subject from request_subject rs join request r on r.id = rs.request_id
         cross join lateral unnest(rs.subject_ids) as s(subject)
       where rs.subject_ids && $1::uuid[] and r.state = 'completed'`,
      [subjects],
    );
    return new Set(rows.map(({ subject }) => subject));
  }
}

function toRequest(row: Row): OpenRequest {
  return {
    id: row.id,
    accountId: row.account_id,
    type: row.type,
    state: row.state,
    stage: row.stage,
    doNotContact: row.do_not_contact,
    receivedAt: row.received_at,
    cutOff: row.cut_off,
    domains: row.domains,
    barrier: row.barrier,
    ledgerPosition: row.ledger_position === null ? null : Number(row.ledger_position),
    unreadableAt: row.unreadable_at,
    expungedAt: row.expunged_at,
    answers: { asked: row.asked, missing: row.missing, askAt: row.ask_at },
  };
}

/** Of a request's people, each once; none any more once it is completed. */
export async function pseudonymsOf(client: Pick<PoolClient, 'query'>, requestId: string): Promise<Buffer[]> {
  const { rows } = await client.query<{ pseudonym: Buffer }>(
    `select distinct pseudonym from request_subject where request_id = $1 and pseudonym is not null`,
    [requestId],
  );
  return rows.map(({ pseudonym }) => pseudonym);
}

/** In the transaction of a move: who was cut off under which pseudonym. */
export async function saveSubjects(
  client: PoolClient,
  requestId: string,
  subjects: readonly { pseudonym: Buffer; subject: string }[],
): Promise<void> {
  await client.query(
    `update request_subject rs set subject_ids = found.ids
     from (select p, array_agg(distinct s) as ids from unnest($2::bytea[], $3::uuid[]) as t(p, s) group by p) found
     where rs.request_id = $1 and rs.pseudonym = found.p`,
    [requestId, subjects.map(({ pseudonym }) => pseudonym), subjects.map(({ subject }) => subject)],
  );
}

/** In the transaction of a move: the request is over, and so is what leads from it to people. */
export async function forgetPseudonyms(client: PoolClient, requestId: string): Promise<void> {
  await client.query('update request_subject set pseudonym = null where request_id = $1', [requestId]);
}

/** In the transaction of a move: where the ledger says what is destroyed for it. */
export async function setLedgerPosition(client: PoolClient, requestId: string, position: number): Promise<void> {
  await client.query('update request set ledger_position = $2 where id = $1', [requestId, position]);
}
