import { Injectable } from '@nestjs/common';

export interface HealthStatus {
  ok: boolean;
  /** Why not, as a value of an enumeration (`not-connected`); anyone on the network may read it. */
  detail?: string;
}

export interface HealthCheck {
  name: string;
  /** Cheap and synchronous: probes come every second. Remember what the real work last saw. */
  check(): HealthStatus;
}

export interface Readiness {
  ready: boolean;
  /** The checks that fail, by name. */
  notReady: Record<string, string>;
}

/** What must hold before this process should get work. Libraries register their own checks. */
@Injectable()
export class HealthRegistry {
  private readonly checks = new Map<string, HealthCheck>();
  private started = false;
  private stopping = false;

  /** Throws when the name is taken. Returns what takes the check away again. */
  register(check: HealthCheck): () => void {
    if (this.checks.has(check.name)) throw new Error(`Health check ${check.name} exists already`);
    this.checks.set(check.name, check);
    return () => this.checks.delete(check.name);
  }

  markStarted(): void {
    this.started = true;
  }

  markStopping(): void {
    this.stopping = true;
  }

  readiness(): Readiness {
    const notReady: Record<string, string> = {};
    if (!this.started) notReady['process'] = 'starting';
    if (this.stopping) notReady['process'] = 'stopping';
    for (const check of this.checks.values()) {
      const status = run(check);
      if (!status.ok) notReady[check.name] = status.detail ?? 'not-ready';
    }
    return { ready: Object.keys(notReady).length === 0, notReady };
  }
}

function run(check: HealthCheck): HealthStatus {
  try {
    return check.check();
  } catch {
    return { ok: false, detail: 'check-failed' };
  }
}
