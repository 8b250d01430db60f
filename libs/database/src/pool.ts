import { Pool } from 'pg';
import type { PoolConfig } from 'pg';

export interface PoolOptions {
  url: string;
  /** Shown by PostgreSQL beside each connection: the service's name. */
  applicationName: string;
  /** Most connections at once. */
  max?: number;
  /** Longest wait for a free connection, in milliseconds. */
  connectTimeoutMs?: number;
  /** Longest time one statement may run, in milliseconds. */
  statementTimeoutMs?: number;
  /** A connection broke while idle; the pool makes another when one is needed. */
  onError: (error: Error) => void;
}

/** A server that hangs does not end its statements itself: the client gives up so much later than it should have. */
const SILENCE_MS = 500;

/** What TypeORM's pool and the pools of other libraries share. */
export function poolConfig(options: Omit<PoolOptions, 'url' | 'onError'>): PoolConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000;
  return {
    application_name: options.applicationName,
    max: options.max ?? 8,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 3000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + SILENCE_MS,
    keepAlive: true,
    // Statements that do not wait for each other are sent at once, and run one after the other all the same.
    pipeline: true,
  };
}

/** A pool of its own, for stores that are not the service's database (vault, bodies). */
export function createPool(options: PoolOptions): Pool {
  const pool = new Pool({ connectionString: options.url, ...poolConfig(options) });
  // Without a listener a broken idle connection would end the process.
  pool.on('error', options.onError);
  return pool;
}
