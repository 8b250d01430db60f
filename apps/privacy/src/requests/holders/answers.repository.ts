import { Database } from '@lethe/database';
import { Clock, CONFIG } from '@lethe/service';
import { Inject, Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { PrivacyConfig } from '../../config.ts';
import type { Counts } from '../completed-request.ts';
import type { AskedStep } from '../request.ts';
import { judge, type Judgement, type ScopedReply } from './answer.ts';
import { afterFailure } from './patience.ts';

/** What was answered. */
type Answered = Pick<ScopedReply, 'requestId' | 'service' | 'step' | 'attempt'>;

interface QuestionRow {
  step: AskedStep;
  first_attempt: number;
  attempts: number;
  acknowledged_at: Date | null;
  subjects: number;
  closing: boolean;
  found: Counts;
  removed: Counts;
}

/** Takes holders' answers to what `QuestionsRepository` asked. */
@Injectable()
export class AnswersRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  /** Judges an answer and keeps it if it can be one; `unknown`: nobody was asked that. */
  receive(reply: ScopedReply): Promise<Judgement | { kind: 'unknown' }> {
    return this.database.withClientTransaction(async (client) => {
      const row = await questionOf(client, reply);
      if (!row) return { kind: 'unknown' };
      const { first_attempt: firstAttempt, attempts, subjects, closing } = row;
      const acknowledged = row.acknowledged_at !== null;
      const judgement = judge({ subjects, closing, firstAttempt, attempts, acknowledged }, reply);
      if (judgement.kind === 'believe') await this.acknowledge(client, reply, row);
      if (judgement.kind === 'nonsense') await this.fault(client, reply, row, judgement.error);
      return judgement;
    });
  }

  /** A holder says that it could not: shown, and asked again soon. False if it was not asked that. */
  fail(answered: Answered, error: string): Promise<boolean> {
    return this.database.withClientTransaction(async (client) => {
      const row = await questionOf(client, answered);
      if (!row || answered.attempt > row.attempts || answered.attempt < row.first_attempt) return false;
      if (row.acknowledged_at === null) await this.fault(client, answered, row, error);
      return true;
    });
  }

  private async acknowledge(client: PoolClient, reply: ScopedReply, before: QuestionRow): Promise<void> {
    const { requestId, service } = reply;
    const { step } = before;
    const there = reply.step === 'verify' ? reply.residual : {};
    const surveyed = { found: step === 'survey' ? there : {}, removed: {} };
    const counted = reply.step === 'erase' ? reply : surveyed;
    const expungedAt = reply.step === 'erase' && reply.expungedAt !== undefined ? new Date(reply.expungedAt) : null;
    await client.query(
      `update holder_answer set acknowledged_at = $4, error = null, found = $5, removed = $6, residual = $7,
         expunged_at = coalesce($8, expunged_at)
       where request_id = $1 and service = $2 and step = $3`,
      [
        requestId,
        service,
        step,
        new Date(this.clock.now()),
        // A round after a residual adds to what the one before had met.
        sum(before.found, counted.found),
        sum(before.removed, counted.removed),
        step === 'verify' ? there : {},
        expungedAt,
      ],
    );
  }

  private async fault(
    client: PoolClient,
    { requestId, service }: Answered,
    { step, attempts }: QuestionRow,
    error: string,
  ): Promise<void> {
    const soon = new Date(this.clock.now() + afterFailure(attempts, this.config.HOLDER_PATIENCE_MS));
    await client.query(
      `update holder_answer set error = $4, ask_again_at = least(ask_again_at, $5)
       where request_id = $1 and service = $2 and step = $3`,
      [requestId, service, step, error, soon],
    );
  }
}

async function questionOf(client: PoolClient, answered: Answered): Promise<QuestionRow | undefined> {
  const { requestId, service } = answered;
  const { rows } = await client.query<QuestionRow>(
    `select step, first_attempt, attempts, acknowledged_at, found, removed,
       (select count(distinct s)::int from request_subject rs cross join lateral unnest(rs.subject_ids) as s
        where rs.request_id = $1) as subjects,
       (select type = 'account-erasure' from request where id = $1) as closing
     from holder_answer where request_id = $1 and service = $2 and step = $3 for update`,
    [requestId, service, await stepOf(client, answered)],
  );
  return rows[0];
}

/** A survey is answered like a last look; which of the two it was, the attempt tells. */
async function stepOf(client: PoolClient, { requestId, step, attempt }: Answered): Promise<AskedStep> {
  if (step !== 'verify') return step;
  const { rows } = await client.query<{ looked: boolean }>(
    `select coalesce(bool_or(step = 'verify'), false)
       and $2 > coalesce(max(attempts) filter (where step = 'survey'), 0) as looked
     from holder_answer where request_id = $1 and step in ('survey', 'verify')`,
    [requestId, attempt],
  );
  return rows[0]?.looked ? 'verify' : 'survey';
}

function sum(one: Counts, other: Counts): Counts {
  const kinds = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...kinds].map((kind) => [kind, (one[kind] ?? 0) + (other[kind] ?? 0)]));
}
