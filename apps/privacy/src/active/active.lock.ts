import { CONFIG, Log } from '@lethe/service';
import { Inject, Injectable } from '@nestjs/common';
import { Client } from 'pg';
import type { PrivacyConfig } from '../config.ts';

/** Any fixed number: the lock is per database, and migrations have another. */
const LOCK = 5_443_285;
const ASK_MS = 500;
const ANSWER_MS = 2_000;

/**
 * Which replica is at work: the one that holds a session lock of the database, on a connection of its own. The lock ends with the
 * connection, so nobody has to take it from one that died. A replica that was cut off may go on for a moment beside its
 * successor: therefore everything that is done under the lock may be done twice.
 */
@Injectable()
export class ActiveLock {
  private client: Client | undefined;
  private gone = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: PrivacyConfig,
    private readonly log: Log,
  ) {}

  /** Aborted when the lock is lost or given back; undefined if another replica has it. */
  async take(): Promise<AbortSignal | undefined> {
    const client = new Client({
      connectionString: this.config.DATABASE_URL,
      application_name: 'privacy-active',
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
    });
    client.on('error', () => this.lose(client));
    client.on('end', () => this.lose(client));
    try {
      await client.connect();
      const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [LOCK]);
      if (rows[0]?.taken !== true) {
        await client.end();
        return undefined;
      }
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.client = client;
    this.gone = new AbortController();
    this.timer = setInterval(() => void this.ask(client), ASK_MS).unref();
    this.log.info('privacy.active');
    return this.gone.signal;
  }

  async release(): Promise<void> {
    const { client } = this;
    this.lose(client);
    await client?.end().catch(() => undefined);
  }

  /** A connection that hangs is as lost as one that broke; the server learns of it when the socket is closed. */
  private async ask(client: Client): Promise<void> {
    try {
      await client.query('select 1');
    } catch {
      this.lose(client);
      void client.end().catch(() => undefined);
    }
  }

  private lose(client: Client | undefined): void {
    if (client === undefined || this.client !== client) return;
    this.client = undefined;
    clearInterval(this.timer);
    this.gone.abort();
  }
}
