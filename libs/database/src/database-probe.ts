import type { Log } from '@lethe/service';
import type { HealthStatus } from '@lethe/service';
import { Client } from 'pg';

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 2000;

/**
 * Asks the database each second, over a connection of its own: a pool that is merely busy must not
 * look like a database that is away.
 */
export class DatabaseProbe {
  private client: Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private status: HealthStatus = { ok: false, detail: 'not-asked-yet' };
  private stopped = false;

  constructor(
    private readonly url: string,
    private readonly applicationName: string,
    private readonly log: Log,
  ) {}

  current(): HealthStatus {
    return this.status;
  }

  /** Resolves after the first answer. */
  async start(): Promise<void> {
    await this.ask();
    this.schedule();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.disconnect();
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.ask().finally(() => this.schedule()), INTERVAL_MS);
    this.timer.unref();
  }

  private async ask(): Promise<void> {
    try {
      this.client ??= await this.connect();
      await this.client.query('SELECT 1');
      this.change({ ok: true });
    } catch (error) {
      this.change({ ok: false, detail: 'unavailable' }, error);
      await this.disconnect();
    }
  }

  private async connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.url,
      application_name: `${this.applicationName}-probe`,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    });
    client.on('error', (error) => {
      this.client = undefined;
      this.change({ ok: false, detail: 'unavailable' }, error);
    });
    await client.connect();
    return client;
  }

  private async disconnect(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private change(status: HealthStatus, error?: unknown): void {
    if (this.stopped) return;
    if (this.status.ok && !status.ok) this.log.warn('database.unavailable', { error });
    if (!this.status.ok && status.ok) this.log.info('database.available');
    this.status = status;
  }
}
