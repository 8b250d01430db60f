import { CONFIG, HealthRegistry, Log, StartupError, errorClass } from '@lethe/service';
import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationBootstrap, OnApplicationShutdown, Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { MigrationInterface } from 'typeorm';
import type { DatabaseConfig } from './database-config.ts';
import { DatabaseProbe } from './database-probe.ts';
import { Database } from './database.ts';
import { poolConfig } from './pool.ts';
import { SILENT } from './silent-logger.ts';

export interface ServiceDatabase {
  /** The service's name; PostgreSQL shows it beside each connection. */
  service: string;
  entities: Type[];
  migrations: Type<MigrationInterface>[];
}

/** The service's own database. Exports `Database`, `DataSource` and TypeORM's repositories. */
@Module({})
export class DatabaseModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly probe: DatabaseProbe;

  constructor(
    @Inject(CONFIG) config: DatabaseConfig,
    dataSource: DataSource,
    log: Log,
    private readonly health: HealthRegistry,
  ) {
    const { applicationName = 'lethe' } = dataSource.options as { applicationName?: string };
    this.probe = new DatabaseProbe(config.DATABASE_URL, applicationName, log);
  }

  static forService({ service, entities, migrations }: ServiceDatabase): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [CONFIG, Log],
          useFactory: (config: DatabaseConfig, log: Log) => ({
            type: 'postgres' as const,
            url: config.DATABASE_URL,
            applicationName: service,
            entities,
            migrations,
            // Extensions need a superuser, and uuidv7() is built in.
            installExtensions: false,
            logging: false,
            logger: SILENT,
            retryAttempts: 0,
            poolErrorHandler: (error: unknown) => log.warn('database.connection-lost', { error }),
            extra: poolConfig({
              applicationName: service,
              max: config.DATABASE_POOL_SIZE,
              connectTimeoutMs: config.DATABASE_CONNECT_TIMEOUT_MS,
              statementTimeoutMs: config.DATABASE_STATEMENT_TIMEOUT_MS,
            }),
          }),
          dataSourceFactory: async (options) => {
            if (!options) throw new Error('TypeORM gave no options');
            return connect(new DataSource(options), service);
          },
        }),
      ],
      providers: [
        {
          provide: Database,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => new Database(dataSource),
        },
      ],
      exports: [Database, TypeOrmModule],
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    this.health.register({ name: 'database', check: () => this.probe.current() });
    await this.probe.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.probe.stop();
  }
}

async function connect(dataSource: DataSource, service: string): Promise<DataSource> {
  try {
    await dataSource.initialize();
  } catch (error) {
    throw new StartupError(
      `The database cannot be reached (${errorClass(error)}). Check DATABASE_URL and that PostgreSQL runs.`,
      { cause: error },
    );
  }
  if (await dataSource.showMigrations()) {
    await dataSource.destroy();
    throw new StartupError(`The database of ${service} is not migrated. Run its migrate step first.`);
  }
  return dataSource;
}
