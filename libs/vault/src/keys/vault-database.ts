import { Pool } from 'pg';
import type { QueryResultRow } from 'pg';
import { CLOSED, VaultSetupError, VaultUnavailableError } from '../errors.ts';

/** The vault's SQL functions, called by name. Tells "away" from "refused". */
export class VaultDatabase {
  private readonly pool: Pool;

  constructor(url: string, options: { connections: number; timeoutMs: number }) {
    this.pool = new Pool({
      connectionString: url,
      max: options.connections,
      connectionTimeoutMillis: options.timeoutMs,
      query_timeout: options.timeoutMs,
      application_name: 'lethe-vault',
    });
    // A connection that dies while idle: the next call opens another.
    this.pool.on('error', () => {});
  }

  async call<R extends QueryResultRow>(name: string, parameters: unknown[]): Promise<R[]> {
    const places = parameters.map((_, index) => `$${index + 1}`).join(', ');
    try {
      const text = `select * from vault.${name}(${places})`;
      return (await this.pool.query<R>({ name, text, values: parameters })).rows;
    } catch (error) {
      throw translate(name, error);
    }
  }

  /** Of a function that answers one value. */
  async value<T>(name: string, parameters: unknown[] = []): Promise<T | null> {
    const [row] = await this.call<Record<string, T>>(name, parameters);
    return row?.[name] ?? null;
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

/** Classes 42 and 28 are rights and names, 22 is our own argument: retrying will not help. The rest is the moment's. */
export function translate(name: string, error: unknown): Error {
  const { code, message } = error as { code?: string; message: string };
  // vault.require_open
  if (code === 'LE001') return new VaultUnavailableError(CLOSED);
  if (code?.startsWith('42') || code?.startsWith('28')) {
    return new VaultSetupError(
      `This service's role may not call vault.${name} (${code}): see libs/vault/src/schema/access.ts`,
    );
  }
  // 22023 is raised by our own functions; PostgreSQL's other messages quote the value.
  if (code === '22023') return new RangeError(message);
  if (code?.startsWith('22')) return new RangeError(`An id given to vault.${name} is malformed (${code})`);
  return new VaultUnavailableError(code ?? 'no answer', { cause: error });
}
