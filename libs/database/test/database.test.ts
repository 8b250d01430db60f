import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HealthRegistry, createLog, createService, defineConfig, isUnavailable } from '@lethe/service';
import type { CreatedService } from '@lethe/service';
import { createDatabase, until, withClient } from '@lethe/testing';
import type { SuiteDatabase } from '@lethe/testing';
import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { Database, DatabaseModule, assertNoDrift, databaseConfig, migrateDatabase } from '../src/index.ts';
import { CreateParcels1764000000000, Parcel } from './shop.ts';

@Module({
  imports: [
    DatabaseModule.forService({
      service: 'accounts',
      entities: [Parcel],
      migrations: [CreateParcels1764000000000],
    }),
  ],
})
class ShopModule {}

const folder = mkdtempSync(join(tmpdir(), 'lethe-database-'));
const keyFile = join(folder, 'public.pem');
let suite: SuiteDatabase;
let logged = '';

function create(environment: Record<string, string> = {}): Promise<CreatedService> {
  return createService(
    { name: 'shop', module: ShopModule, config: defineConfig(databaseConfig) },
    {
      environment: { PORT: '0', IDENTITY_PUBLIC_KEY_FILE: keyFile, DATABASE_URL: suite.url, ...environment },
      log: createLog({ service: 'shop', destination: { write: (line) => (logged += line) } }),
    },
  );
}

beforeAll(async () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
  suite = await createDatabase(inject('stores'), 'accounts', `db${randomBytes(4).toString('hex')}`);
});

afterAll(async () => {
  await suite.drop();
  rmSync(folder, { recursive: true });
});

describe('before the migration', () => {
  it('a service does not start, and says what to run', async () => {
    await expect(create()).rejects.toThrow('not migrated');
  });

  it('a service does not start without its database, and says what to check', async () => {
    const away = new URL(suite.url);
    away.port = '1';
    await expect(create({ DATABASE_URL: away.href })).rejects.toThrow(/cannot be reached \(connection\)/);
  });
});

describe('migrateDatabase', () => {
  it('runs each migration once, however many replicas start together', async () => {
    const replicas = Array.from({ length: 4 }, () => migrateDatabase(suite.url, [CreateParcels1764000000000]));
    const ran = await Promise.all(replicas);
    expect(ran.flat()).toEqual(['CreateParcels1764000000000']);
  });

  it('leaves nothing of a migration that fails', async () => {
    class Half1764000000001 extends CreateParcels1764000000000 {
      override name = 'Half1764000000001';
      override async up(...[runner]: Parameters<CreateParcels1764000000000['up']>): Promise<void> {
        await runner.query('CREATE TABLE half (id integer)');
        await runner.query('SELECT no_such_thing()');
      }
    }
    await expect(migrateDatabase(suite.url, [CreateParcels1764000000000, Half1764000000001])).rejects.toThrow();
    const found = await withClient(suite.url, (client) => client.query("SELECT to_regclass('half') AS half"));
    expect(found.rows).toEqual([{ half: null }]);
  });

  it('runs what takes no transaction, and keeps what ran before it', async () => {
    class Before1764000000003 extends CreateParcels1764000000000 {
      override name = 'Before1764000000003';
      override async up(...[runner]: Parameters<CreateParcels1764000000000['up']>): Promise<void> {
        await runner.query('CREATE TABLE indexed (id integer)');
      }
    }
    class Beside1764000000004 extends CreateParcels1764000000000 {
      override name = 'Beside1764000000004';
      readonly transaction = false;
      override async up(...[runner]: Parameters<CreateParcels1764000000000['up']>): Promise<void> {
        await runner.query('CREATE INDEX CONCURRENTLY indexed_id ON indexed (id)');
      }
    }
    const migrations = [CreateParcels1764000000000, Before1764000000003, Beside1764000000004];
    expect(await migrateDatabase(suite.url, migrations)).toEqual(['Before1764000000003', 'Beside1764000000004']);
    const found = await withClient(suite.url, (client) => client.query("SELECT to_regclass('indexed_id') AS made"));
    expect(found.rows).toEqual([{ made: 'indexed_id' }]);
    await withClient(suite.url, (client) => client.query('DROP TABLE indexed'));
  });

  it('keeps to the schema it is given', async () => {
    class InSchema1764000000002 extends CreateParcels1764000000000 {
      override name = 'InSchema1764000000002';
      override async up(...[runner]: Parameters<CreateParcels1764000000000['up']>): Promise<void> {
        await runner.query('CREATE TABLE side.things (id integer)');
      }
    }
    const migrations = [InSchema1764000000002];
    expect(await migrateDatabase(suite.url, migrations, { schema: 'side' })).toHaveLength(1);
    expect(await migrateDatabase(suite.url, migrations, { schema: 'side' })).toHaveLength(0);
  });
});

describe('assertNoDrift', () => {
  let dataSource: DataSource;
  beforeAll(async () => {
    dataSource = await new DataSource({
      type: 'postgres',
      url: suite.url,
      entities: [Parcel],
      installExtensions: false,
    }).initialize();
  });
  afterAll(() => dataSource.destroy());

  it('is content with entities that match', async () => {
    await expect(assertNoDrift(dataSource)).resolves.toBeUndefined();
  });

  it.each([
    ['a column nobody declared', 'ALTER TABLE parcels ADD extra text', 'ALTER TABLE parcels DROP extra'],
    ['a missing index', 'DROP INDEX parcels_state', 'CREATE INDEX parcels_state ON parcels (state)'],
    [
      'a column that may be null',
      'ALTER TABLE parcels ALTER state DROP NOT NULL',
      'ALTER TABLE parcels ALTER state SET NOT NULL',
    ],
  ])('finds %s', async (_, change, undo) => {
    await dataSource.query(change);
    await expect(assertNoDrift(dataSource)).rejects.toThrow('differ');
    await dataSource.query(undo);
  });
});

describe('a service with a database', () => {
  let service: CreatedService;
  let database: Database;

  beforeAll(async () => {
    service = await create({ DATABASE_POOL_SIZE: '2', DATABASE_CONNECT_TIMEOUT_MS: '300' });
    database = service.app.get(Database);
    service.app.get(HealthRegistry).markStarted();
  });
  afterAll(() => service.app.close());
  beforeEach(() => database.pool.query('DELETE FROM parcels'));

  const count = async () => database.dataSource.getRepository(Parcel).count();

  it('shares one bounded pool between TypeORM and raw statements', async () => {
    const held = await Promise.all([database.pool.connect(), database.pool.connect()]);
    const refused: unknown = await database.withTransaction(() => Promise.resolve()).catch((error: unknown) => error);
    expect(isUnavailable(refused)).toBe(true);
    for (const client of held) client.release();
    await database.withTransaction((manager) => manager.insert(Parcel, { state: 'new', weight: 1 }));
    expect(await count()).toBe(1);
  });

  it('undoes a transaction that throws, either way', async () => {
    await expect(
      database.withTransaction(async (manager) => {
        await manager.insert(Parcel, { state: 'new', weight: 1 });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await expect(
      database.withClientTransaction(async (client) => {
        await client.query("INSERT INTO parcels (state, weight) VALUES ('new', 1)");
        await client.query("INSERT INTO parcels (state, weight) VALUES ('new', -1)");
      }),
    ).rejects.toMatchObject({ code: '23514' });
    expect(await count()).toBe(0);
    expect(database.pool.idleCount).toBe(database.pool.totalCount);
  });

  it('ends a statement that runs too long, as a matter of time', async () => {
    const slow: unknown = await database
      .withClientTransaction(async (client) => {
        await client.query("SET LOCAL statement_timeout = '50ms'");
        await client.query('SELECT pg_sleep(5)');
      })
      .catch((error: unknown) => error);
    expect(isUnavailable(slow)).toBe(true);
    const { rows } = await database.pool.query<{ limit: string }>(
      "SELECT current_setting('statement_timeout') AS limit",
    );
    expect(rows).toEqual([{ limit: '15s' }]);
  });

  it('says it is not ready while the database takes no connections, and is ready again after', async () => {
    const ready = async () => (await service.app.inject('/health/ready')).statusCode;
    const name = new URL(suite.url).pathname.slice(1);
    expect(await ready()).toBe(200);
    const { adminUrl } = inject('stores').postgres;
    await withClient(adminUrl, async (client) => {
      await client.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
      await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    });
    try {
      expect(await until(async () => (await ready()) === 503, 10_000)).toBe(true);
      const answer = await service.app.inject('/health/ready');
      expect(answer.json()).toEqual({ ready: false, notReady: { database: 'unavailable' } });
    } finally {
      await withClient(adminUrl, (client) => client.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`));
    }
    expect(await until(async () => (await ready()) === 200, 10_000)).toBe(true);
    expect(await count()).toBe(0);
    expect(logged).toContain('database.unavailable');
    expect(logged).toContain('database.available');
  });

  it('survives a connection that dies inside a transaction', async () => {
    const broken: unknown = await database
      .withClientTransaction(async (client) => {
        const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        await withClient(suite.adminUrl, (admin) => admin.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]));
        await client.query('SELECT 1');
      })
      .catch((error: unknown) => error);
    expect(isUnavailable(broken)).toBe(true);
    expect(await count()).toBe(0);
  });
});
