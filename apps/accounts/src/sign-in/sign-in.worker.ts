import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '@lethe/database';
import { Log, Rounds } from '@lethe/service';
import { FLOW_LASTS_MS } from '../providers/provider-flow.entity.ts';

const EVERY_MS = 60_000;
/** More failed sign-ins are not remembered at a time, whoever makes them. */
const MAX_ATTEMPTS = 100_000;

/** What is over goes: attempts after a day (design §7), sessions at their end. Nobody needs to hear of that. */
@Injectable()
export class SignInWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds: Rounds;

  constructor(
    private readonly database: Database,
    log: Log,
  ) {
    this.rounds = new Rounds({
      everyMs: EVERY_MS,
      work: () => this.clear(),
      failed: (error) => log.warn('sign-in.not-cleared', { error }),
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.stop();
  }

  async clear(): Promise<void> {
    const { pool } = this.database;
    await pool.query(`DELETE FROM sign_in_attempt WHERE at < now() - interval '23 hours 50 minutes'`);
    await pool.query(
      'DELETE FROM sign_in_attempt WHERE at < (SELECT at FROM sign_in_attempt ORDER BY at DESC OFFSET $1 LIMIT 1)',
      [MAX_ATTEMPTS],
    );
    await pool.query('DELETE FROM provider_flow WHERE begun_at < now() - make_interval(secs => $1)', [
      FLOW_LASTS_MS / 1_000,
    ]);
    await pool.query('DELETE FROM user_session WHERE least(idle_at, expires_at) < now()');
  }
}
