import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DomainSettings } from '@lethe/contracts';
import { Database } from '@lethe/database';
import type { PoolClient } from 'pg';
import { SendingDomains } from '../settings/sending.domains.ts';

/** Transactions that count for the same account at once wait for each other this rarely. */
const SLOTS = 8;

/** In one order, so that two transactions cannot wait for each other's rows. */
const ADD = `
  INSERT INTO sent_count AS known (scope_id, day, slot, recipients)
  SELECT scope, date_trunc('day', now(), 'UTC'), $3, sum(n) FROM unnest($1::uuid[], $2::int[]) AS sent (scope, n)
   GROUP BY scope ORDER BY scope
  ON CONFLICT (scope_id, day, slot) DO UPDATE SET recipients = known.recipients + excluded.recipients`;

const READ = `
  SELECT coalesce(sum(recipients) FILTER (WHERE day = date_trunc('day', now(), 'UTC')), 0)::float8 AS day,
         coalesce(sum(recipients), 0)::float8 AS month
    FROM sent_count WHERE scope_id = $1 AND day >= date_trunc('month', now(), 'UTC')`;

/** A month, and some days for the clocks. */
const DELETE_OLD = `DELETE FROM sent_count WHERE day < now() - interval '35 days'`;

/** What was sent today and this month (UTC), in recipients. */
export interface Sent {
  readonly day: number;
  readonly month: number;
}

/** What accounts and domains sent. Counted in the transaction that commits the messages: once for all that share it. */
@Injectable()
export class SentCountRepository {
  constructor(
    private readonly database: Database,
    private readonly domains: SendingDomains,
  ) {}

  /** They count for the domain, its account and that account's parent. */
  async add(client: PoolClient, messages: readonly { domain: DomainSettings; recipients: number }[]): Promise<void> {
    const counted = messages.flatMap(({ domain, recipients }) =>
      this.domains.counted(domain).map((scope) => ({ scope, recipients })),
    );
    const scopes = counted.map(({ scope }) => scope);
    const counts = counted.map(({ recipients }) => recipients);
    await client.query({ name: 'count-sent', text: ADD, values: [scopes, counts, randomInt(SLOTS)] });
  }

  /** Of a domain or an account. */
  async read(scopeId: string): Promise<Sent> {
    const { rows } = await this.database.pool.query<Sent>({ name: 'read-sent', text: READ, values: [scopeId] });
    return rows[0] ?? { day: 0, month: 0 };
  }

  async deleteOld(): Promise<void> {
    await this.database.pool.query(DELETE_OLD);
  }
}
