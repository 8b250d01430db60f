import type { HealthStatus, Log } from '@lethe/service';
import type { Search } from './search.ts';

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 2000;

/** Asks Elasticsearch each second whether it is there, and remembers the answer for readiness. */
export class SearchProbe {
  private status: HealthStatus = { ok: false, detail: 'not-asked-yet' };
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly search: Search,
    private readonly log: Log,
  ) {}

  current(): HealthStatus {
    return this.status;
  }

  /** Resolves after the first answer. */
  async start(): Promise<void> {
    await this.ask();
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.start(), INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async ask(): Promise<void> {
    try {
      await this.search.call((client) => client.ping({}, { requestTimeout: TIMEOUT_MS, maxRetries: 0 }));
      if (!this.status.ok) this.log.info('search.available');
      this.status = { ok: true };
    } catch (error) {
      if (this.status.ok) this.log.warn('search.unavailable', { error });
      this.status = { ok: false, detail: 'unavailable' };
    }
  }
}
