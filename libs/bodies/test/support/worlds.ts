import { createDatabase, type Stores, type SuiteDatabase } from '@lethe/testing';
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { migrateBodies, PostgresBodyStore, type BodyStore } from '../../src/index.ts';

/** A body store as who accepts messages and as who sends them sees it, and the database that messages are committed to. */
export interface World {
  readonly database: SuiteDatabase;
  readonly writer: Client;
  readonly ingest: BodyStore;
  readonly delivery: BodyStore;
  close(): Promise<void>;
}

/** Ingest's database, migrated. */
export async function ingestDatabase(stores: Stores): Promise<Pick<World, 'database' | 'writer' | 'close'>> {
  const database = await createDatabase(stores, 'ingest', `b${randomBytes(4).toString('hex')}`);
  await migrateBodies(database.url);
  const writer = new Client({ connectionString: database.url });
  await writer.connect();
  return {
    database,
    writer,
    async close() {
      await writer.end();
      await database.drop();
    },
  };
}

export async function postgresWorld(stores: Stores): Promise<World & { ingest: PostgresBodyStore }> {
  const own = await ingestDatabase(stores);
  const ingest = new PostgresBodyStore({ url: own.database.url });
  const delivery = new PostgresBodyStore({ url: own.database.urlFor('delivery') });
  return {
    ...own,
    ingest,
    delivery,
    async close() {
      await Promise.all([ingest.close(), delivery.close()]);
      await own.close();
    },
  };
}
