import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { StsPolicy } from './sts.policy.ts';

/** A policy that is kept. */
export interface KeptPolicy extends Pick<StsPolicy, 'mode' | 'mx'> {
  id: string;
  /** More than half of its time is over: it is to be fetched again, changed or not. */
  ageing: boolean;
}

/** Longest time without mail to a domain for which its policy is kept: as long as the longest event. */
export const UNUSED_DAYS = 30;

/** Policies as they were fetched last; expired ones count as none. */
@Injectable()
export class StsRepository {
  constructor(private readonly database: Database) {}

  /** The policy, for mail that goes there. */
  async use(domain: string): Promise<KeptPolicy | undefined> {
    const { rows } = await this.database.pool.query<KeptPolicy & { stale: boolean }>({
      name: 'sts-find',
      text: `select policy_id as id, mode, mx, now() > fetched_at + (expires_at - fetched_at) / 2 as ageing,
                    used_at < now() - interval '1 day' as stale
               from sts_policy where domain = $1 and expires_at > now()`,
      values: [domain],
    });
    const [row] = rows;
    if (!row) return undefined;
    if (row.stale) await this.database.pool.query('update sts_policy set used_at = now() where domain = $1', [domain]);
    return { id: row.id, mode: row.mode, mx: row.mx, ageing: row.ageing };
  }

  async keep(domain: string, id: string, { mode, mx, maxAgeSeconds }: StsPolicy): Promise<void> {
    await this.database.pool.query(
      `insert into sts_policy (domain, policy_id, mode, mx, fetched_at, expires_at, checked_at, used_at)
       values ($1, $2, $3, $4, now(), now() + make_interval(secs => $5), now(), now())
       on conflict (domain) do update set policy_id = excluded.policy_id, mode = excluded.mode, mx = excluded.mx,
         fetched_at = excluded.fetched_at, expires_at = excluded.expires_at, checked_at = excluded.checked_at`,
      [domain, id, mode, mx, maxAgeSeconds],
    );
  }

  /**
   * Some domains whose policy nobody has looked at for so long, or for half of its time; they count as looked at. Replicas take
   * different ones.
   */
  async due(everyMs: number, limit: number): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ domain: string }>(
      `update sts_policy set checked_at = now() where domain in (
         select domain from sts_policy
          where checked_at < now() - least(make_interval(secs => $1), (expires_at - fetched_at) / 2) and expires_at > now()
          order by checked_at limit $2 for update skip locked)
       returning domain`,
      [everyMs / 1_000, limit],
    );
    return rows.map(({ domain }) => domain);
  }

  /** Policies that have expired or are not needed, and the longest unused of more than `max`. */
  async removeOver(max: number): Promise<void> {
    await this.database.pool.query(
      `delete from sts_policy where expires_at <= now() or used_at < now() - make_interval(days => $1)
          or domain in (select domain from sts_policy order by used_at desc, domain offset $2)`,
      [UNUSED_DAYS, max],
    );
  }
}
