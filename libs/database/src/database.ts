import type { Writable } from 'node:stream';
import type { Pool, PoolClient } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

/** The service's database: TypeORM for most, its very pool for the hot paths. */
export class Database {
  constructor(readonly dataSource: DataSource) {}

  /** TypeORM's pool, so that one bound holds for both. */
  get pool(): Pool {
    return (this.dataSource.driver as PostgresDriver).master as Pool;
  }

  /** Runs in one transaction; a throw rolls back. */
  withTransaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(work);
  }

  /**
   * The same without TypeORM. When the connection breaks during COMMIT the error does not say
   * whether it took effect: what must not happen twice needs a unique key.
   */
  withClientTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return inTransaction(this.pool, work);
  }
}

/** Runs in one transaction on a client of the pool; a throw rolls back. See above for COMMIT. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that breaks between two statements says so by an event nobody else listens to.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    inOneWrite(client);
    // What comes behind it is sent with it. It fails with its connection alone, and then so does all of that.
    const begun = client.query('BEGIN');
    begun.catch(() => undefined);
    const result = await work(client);
    await begun;
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A connection whose server is silent cannot be asked for anything more; closing it rolls back.
    if (isSilence(error)) broken = error;
    else {
      try {
        await client.query('ROLLBACK');
      } catch (rollbackError) {
        broken = rollbackError as Error;
      }
    }
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** The statements of this turn leave together: each write costs more than what most of them say. */
function inOneWrite(client: PoolClient): void {
  const { stream } = (client as unknown as { connection: { stream: Writable } }).connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/** pg's `query_timeout`; it has neither code nor class. */
const isSilence = (error: unknown): error is Error => error instanceof Error && error.message === 'Query read timeout';
