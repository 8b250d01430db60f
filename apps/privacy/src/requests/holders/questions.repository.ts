import { HOLDERS } from '@lethe/contracts';
import { Database } from '@lethe/database';
import { Clock, CONFIG } from '@lethe/service';
import { Inject, Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { PrivacyConfig } from '../../config.ts';
import type { AskedStep } from '../request.ts';
import { afterFailure, patience } from './patience.ts';

/** What each holder was asked: one row per request, step and holder, which its answer completes. */
@Injectable()
export class QuestionsRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  /**
   * Notes that all who have not answered are asked (again), before they are: an answer must find its question. The attempt.
   * A survey and the last look are the same command to holders: its attempts are counted on, so that no answer fits both.
   */
  ask(requestId: string, step: AskedStep): Promise<number> {
    return this.database.withClientTransaction(async (client) => {
      await client.query(
        `insert into holder_answer (request_id, service, step, first_attempt, attempts, ask_again_at)
         select $1, s, $2, surveys + 1, surveys, $4 from unnest($3::text[]) as s cross join (
           select coalesce(max(attempts), 0) as surveys from holder_answer
           where request_id = $1 and step = 'survey' and $2 = 'verify') as before on conflict do nothing`,
        [requestId, step, HOLDERS, this.after(0)],
      );
      const { rows } = await client.query<{ attempt: number }>(
        'select max(attempts) + 1 as attempt from holder_answer where request_id = $1 and step = $2',
        [requestId, step],
      );
      const attempt = rows[0]?.attempt ?? 1;
      await client.query(
        `update holder_answer set attempts = $3, ask_again_at = $4,
           error = coalesce(error, case when attempts >= first_attempt then 'no-answer' end)
         where request_id = $1 and step = $2 and acknowledged_at is null`,
        [requestId, step, attempt, this.after(patience(attempt, this.config.HOLDER_PATIENCE_MS))],
      );
      return attempt;
    });
  }

  /** The command could not be published. */
  async askSoon(requestId: string, step: AskedStep): Promise<void> {
    await this.database.pool.query(
      `update holder_answer set ask_again_at = $3 where request_id = $1 and step = $2 and acknowledged_at is null`,
      [requestId, step, this.after(afterFailure(1, this.config.HOLDER_PATIENCE_MS))],
    );
  }

  /** In the transaction of a move: `step` begins anew for these, and no answer to an earlier attempt counts any more. */
  async anew(client: PoolClient, requestId: string, step: AskedStep, services: readonly string[]): Promise<void> {
    await client.query(
      `update holder_answer h set acknowledged_at = null, error = 'residual', ask_again_at = $4,
         first_attempt = (select max(attempts) + 1 from holder_answer a where a.request_id = $1 and a.step = $2)
       where h.request_id = $1 and h.step = $2 and h.service = any($3)`,
      [requestId, step, services, this.after(afterFailure(1, this.config.HOLDER_PATIENCE_MS))],
    );
  }

  /** Shows which services have not read yet what was written before the fence, and that the others have. */
  async showBehind(requestId: string, services: readonly string[]): Promise<void> {
    await this.database.pool.query(
      `update holder_answer set error = case when service = any($2) then 'behind' end
       where request_id = $1 and step = 'fence' and (error is not null) <> (service = any($2))`,
      [requestId, services],
    );
  }

  /** Holders whose last look found something left. */
  async withResidual(requestId: string): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ service: string }>(
      `select service from holder_answer where request_id = $1 and step = 'verify'
         and exists (select from jsonb_each_text(residual) as left_over(kind, n) where n::bigint > 0)`,
      [requestId],
    );
    return rows.map(({ service }) => service);
  }

  private after(ms: number): Date {
    return new Date(this.clock.now() + ms);
  }
}
