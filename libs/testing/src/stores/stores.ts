import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICES } from '@lethe/contracts';
import type { Service } from '@lethe/contracts';
import type { Progress } from './cache.ts';
import type { Launched } from './daemon.ts';
import { startElasticsearch } from './elasticsearch.ts';
import type { Elasticsearch } from './elasticsearch.ts';
import { startKafka } from './kafka.ts';
import type { Kafka } from './kafka.ts';
import type { Credentials } from './kafka-admin.ts';
import { startPostgres } from './postgres.ts';
import type { Postgres } from './postgres.ts';
import { freePorts } from './ports.ts';
import { endLeftovers, recordProcesses } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { provisionTopics } from './provision-kafka.ts';
import {
  DATABASE_OWNERS,
  type DatabaseOwner,
  VAULT_OWNER,
  databaseUrl,
  provisionDatabase,
  provisionRoles,
  provisionVault,
} from './provision-postgres.ts';

/** Where the stores are and how to sign in; plain data, so it can be written to a file and handed to tests. */
export interface Stores {
  readonly kafka: {
    readonly brokers: string[];
    readonly admin: Credentials;
    readonly users: Record<Service, Credentials>;
  };
  readonly elasticsearch: string;
  readonly postgres: {
    readonly adminUrl: string;
    /** The database of each service that has one, as its own role. */
    readonly urls: Record<DatabaseOwner, string>;
    /** Ingest's database (schema `bodies`) as the role of each who may use it. */
    readonly bodies: { readonly ingest: string; readonly delivery: string };
    readonly passwords: Record<string, string>;
  };
  readonly vault: {
    readonly adminUrl: string;
    readonly ownerUrl: string;
    readonly urls: Record<Service, string>;
    readonly passwords: Record<string, string>;
  };
  readonly dir: string;
  /** Folders with data, folders with logs, and process ids, by store. */
  readonly data: Record<StoreName, string>;
  readonly logs: Record<StoreName, string>;
  readonly pids: Record<StoreName, number>;
}

export type StoreName = 'kafka' | 'elasticsearch' | 'postgres' | 'vault';

const PORT_NAMES = [
  'kafka',
  'kafkaController',
  'elasticsearch',
  'elasticsearchTransport',
  'postgres',
  'vault',
] as const;

export type StorePorts = Readonly<Record<(typeof PORT_NAMES)[number], number>>;

export interface StoresOptions {
  /** Holds all data, logs and passwords; started again on the same folder they are as they were. */
  readonly dir: string;
  /** Free ones are taken if not given. */
  readonly ports?: StorePorts;
  readonly settings?: Partial<Record<StoreName, Readonly<Record<string, string>>>>;
  readonly progress?: Progress;
  /**
   * They live for minutes: the JVMs compile quickly (C1) and never well, which costs more processor time than it saves in such a
   * life. Not for measurements.
   */
  readonly shortLived?: boolean;
  /** Variables of every store's process, besides those it needs: a moved clock. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RunningStores {
  /** A getter: process ids change with restarts. */
  readonly stores: Stores;
  readonly kafka: Kafka;
  readonly elasticsearch: Elasticsearch;
  readonly postgres: Postgres;
  readonly vault: Postgres;
  /** Notes also what the present processes started themselves; call it after a restart. */
  record(): void;
  stop(): Promise<void>;
}

/**
 * Starts Kafka, Elasticsearch and both PostgreSQL instances at once and gives every service its user, topics, database and
 * roles. Ends first what a killed start left behind in the same folder.
 */
export async function startStores(options: StoresOptions): Promise<RunningStores> {
  const progress = options.progress ?? (() => {});
  mkdirSync(options.dir, { recursive: true });
  const processFile = join(options.dir, 'processes.json');
  for (const name of await endLeftovers(processFile)) progress(`ended ${name}, left over from a former start`);
  const secrets = readSecrets(join(options.dir, 'secrets.json'));
  const { settings = {}, environment, shortLived } = options;
  const ports = options.ports ?? (await freePorts(...PORT_NAMES));

  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const begin = performance.now();
    const result = await work;
    progress(`${name} ready after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    return result;
  };
  // Noted as they start, so that a start which is killed half-way can be cleaned up after too.
  const begun = new Map<string, ProcessIdentity>();
  const launched = (identity: ProcessIdentity) => {
    begun.set(identity.name, identity);
    recordProcesses(processFile, [...begun.values()]);
  };
  const credentials = (username: Service | 'admin'): Credentials => ({ username, password: secrets.kafka[username] });
  const started = await Promise.allSettled([
    timed(
      'kafka',
      startKafka({
        dir: join(options.dir, 'kafka'),
        admin: credentials('admin'),
        users: SERVICES.map(credentials),
        progress,
        launched,
        environment,
        shortLived,
        ports: { client: ports.kafka, controller: ports.kafkaController },
        ...(settings.kafka && { settings: settings.kafka }),
      }).then(async (kafka) => {
        await provisionTopics(kafka.brokers, credentials('admin'));
        return kafka;
      }),
    ),
    timed(
      'elasticsearch',
      startElasticsearch({
        dir: join(options.dir, 'elasticsearch'),
        progress,
        launched,
        environment,
        shortLived,
        ports: { http: ports.elasticsearch, transport: ports.elasticsearchTransport },
        ...(settings.elasticsearch && { settings: settings.elasticsearch }),
      }),
    ),
    timed('postgres', startMain({ ...options, launched }, ports.postgres, secrets.postgres)),
    timed('vault', startVault({ ...options, launched }, ports.vault, secrets.vault)),
  ] as const);

  const failed = started.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.all(started.map(async (result) => result.status === 'fulfilled' && (await result.value.stop())));
    throw failed.reason;
  }
  const [kafka, elasticsearch, postgres, vault] = started.map(
    (result) => (result as PromiseFulfilledResult<unknown>).value,
  ) as [Kafka, Elasticsearch, Postgres, Postgres];
  const daemons = { kafka, elasticsearch, postgres, vault };
  const record = () =>
    recordProcesses(
      processFile,
      Object.values(daemons).flatMap((daemon) => daemon.identities()),
    );
  record();
  return {
    ...daemons,
    record,
    get stores() {
      return describe(options.dir, daemons, secrets);
    },
    stop: async () => {
      await Promise.all(Object.values(daemons).map((daemon) => daemon.stop()));
      recordProcesses(processFile, []);
    },
  };
}

type Daemons = Pick<RunningStores, StoreName>;

type PostgresPart = StoresOptions & { readonly launched: Launched };

async function startMain(options: PostgresPart, port: number, passwords: Secrets['postgres']): Promise<Postgres> {
  const postgres = await startPostgres({
    dir: join(options.dir, 'postgres'),
    launched: options.launched,
    environment: options.environment,
    password: passwords.postgres,
    port,
    ...(options.settings?.postgres && { settings: options.settings.postgres }),
  });
  const { postgres: _, ...roles } = passwords;
  await provisionRoles(postgres.adminUrl, roles);
  for (const service of DATABASE_OWNERS) await provisionDatabase(postgres.adminUrl, service, service);
  return postgres;
}

async function startVault(options: PostgresPart, port: number, passwords: Secrets['vault']): Promise<Postgres> {
  const vault = await startPostgres({
    dir: join(options.dir, 'vault'),
    launched: options.launched,
    environment: options.environment,
    name: 'vault',
    vault: true,
    password: passwords.postgres,
    port,
    ...(options.settings?.vault && { settings: options.settings.vault }),
  });
  const { postgres: _, ...roles } = passwords;
  await provisionRoles(vault.adminUrl, roles);
  await provisionVault(vault.adminUrl, 'vault');
  return vault;
}

interface Secrets {
  readonly kafka: Record<Service | 'admin', string>;
  readonly postgres: Record<DatabaseOwner | 'postgres', string>;
  readonly vault: Record<Service | typeof VAULT_OWNER | 'postgres', string>;
}

function readSecrets(file: string): Secrets {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
  const random = <N extends string>(names: readonly N[]) =>
    Object.fromEntries(names.map((name) => [name, randomBytes(24).toString('hex')])) as Record<N, string>;
  const secrets: Secrets = {
    kafka: random(['admin', ...SERVICES]),
    postgres: random(['postgres', ...DATABASE_OWNERS]),
    vault: random(['postgres', VAULT_OWNER, ...SERVICES]),
  };
  writeFileSync(`${file}.new`, JSON.stringify(secrets), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secrets;
}

function describe(dir: string, daemons: Daemons, secrets: Secrets): Stores {
  const { kafka, elasticsearch, postgres, vault } = daemons;
  const by = <K extends string, T>(names: readonly K[], value: (name: K) => T) =>
    Object.fromEntries(names.map((name) => [name, value(name)])) as Record<K, T>;
  const main = (database: string, role: DatabaseOwner) =>
    databaseUrl(postgres.adminUrl, database, role, secrets.postgres[role]);
  const inVault = (role: Service | typeof VAULT_OWNER) =>
    databaseUrl(vault.adminUrl, 'vault', role, secrets.vault[role]);
  const names = Object.keys(daemons) as StoreName[];
  return {
    kafka: {
      brokers: kafka.brokers,
      admin: { username: 'admin', password: secrets.kafka.admin },
      users: by(SERVICES, (username) => ({ username, password: secrets.kafka[username] })),
    },
    elasticsearch: elasticsearch.url,
    postgres: {
      adminUrl: postgres.adminUrl,
      urls: by(DATABASE_OWNERS, (service) => main(service, service)),
      bodies: { ingest: main('ingest', 'ingest'), delivery: main('ingest', 'delivery') },
      passwords: secrets.postgres,
    },
    vault: {
      adminUrl: vault.adminUrl,
      ownerUrl: inVault(VAULT_OWNER),
      urls: by(SERVICES, inVault),
      passwords: secrets.vault,
    },
    dir,
    data: by(names, (name) => daemons[name].dataDir),
    logs: by(names, (name) => daemons[name].logDir),
    pids: by(names, (name) => daemons[name].pid),
  };
}
