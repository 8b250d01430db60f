import { createDatabase, startSeaweedFs, type SeaweedFs, type Stores, type SuiteDatabase } from '@lethe/testing';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { z } from 'zod';
import {
  bodiesConfig,
  createBodyStore,
  migrateBodies,
  PostgresBodyStore,
  prepareBodyStore,
  type BodiesConfig,
  type BodyStore,
} from '../../src/index.ts';

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

/** A server of the suite's own; null where there is none to be had. */
export async function bucketServer(): Promise<{ server: SeaweedFs; close(): Promise<void> } | null> {
  const dir = mkdtempSync(join(tmpdir(), 'lethe-bucket-'));
  const server = await startSeaweedFs(dir);
  if (server === null) {
    rmSync(dir, { recursive: true });
    return null;
  }
  return {
    server,
    async close() {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** As services are given it, of a bucket of its own. */
export function bucketSettings({ endpoint, owner }: SeaweedFs, more: Record<string, string> = {}): BodiesConfig {
  return z.object(bodiesConfig).parse({
    BODY_STORE: 's3',
    BODIES_S3_BUCKET: `bodies-${randomBytes(6).toString('hex')}`,
    BODIES_S3_ENDPOINT: endpoint,
    BODIES_S3_PATH_STYLE: 'true',
    BODIES_S3_ACCESS_KEY_ID: owner.accessKeyId,
    BODIES_S3_SECRET_ACCESS_KEY: owner.secretAccessKey,
    // A busy machine must not have more to do at once than it can within a call's time.
    BODIES_S3_REQUESTS: '8',
    ...more,
  });
}

export interface BucketWorld extends World {
  readonly config: BodiesConfig;
}

export async function bucketWorld(
  stores: Stores,
  server: SeaweedFs,
  more: Record<string, string> = {},
): Promise<BucketWorld> {
  const own = await ingestDatabase(stores);
  const config = bucketSettings(server, more);
  await prepareBodyStore(config, own.database.url, async () => null);
  const ingest = createBodyStore(config);
  const delivery = createBodyStore({
    ...config,
    BODIES_S3_ACCESS_KEY_ID: server.reader.accessKeyId,
    BODIES_S3_SECRET_ACCESS_KEY: server.reader.secretAccessKey,
  });
  return {
    ...own,
    config,
    ingest,
    delivery,
    async close() {
      await Promise.all([ingest.close(), delivery.close()]);
      await own.close();
    },
  };
}
