import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { kafkaJars } from './cache.ts';
import type { Progress } from './cache.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon, Launched } from './daemon.ts';
import { DEFINITION, definitionFile, version } from './definition.ts';
import { compiler, findJava } from './java.ts';
import { kafkaAdmin } from './kafka-admin.ts';
import type { Credentials } from './kafka-admin.ts';
import { freePorts, requireFree } from './ports.ts';
import { asStoreUser, ownFolder, storeUser } from './run-as.ts';

export interface KafkaOptions {
  /** Holds `data`, `logs`, `server.properties`; kept between starts. */
  readonly dir: string;
  /** Free ones are taken if not given. */
  readonly ports?: { readonly client: number; readonly controller: number };
  /** Made when the folder is formatted, that is, on the first start only. The administrator may do everything. */
  readonly admin: Credentials;
  readonly users: readonly Credentials[];
  /** Settings over deploy/stores/kafka.properties, such as `log.flush.interval.messages`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly progress?: Progress;
  readonly launched?: Launched;
  /** Variables of the process, besides those it needs. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly shortLived?: boolean | undefined;
}

export interface Kafka extends Daemon {
  readonly brokers: string[];
  readonly dataDir: string;
  readonly logDir: string;
}

/** Starts a real Kafka broker (KRaft, SCRAM, ACLs) on loopback. */
export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const java = join(findJava(), 'bin/java');
  const jars = await kafkaJars(options.progress ?? (() => {}));
  const ports = options.ports ?? (await freePorts('client', 'controller'));
  await requireFree(ports.client, 'Kafka');
  await requireFree(ports.controller, 'Kafka controller');
  const [data, logs] = [join(options.dir, 'data'), join(options.dir, 'logs')];
  for (const path of [options.dir, data, logs]) ownFolder(path);
  const properties = join(options.dir, 'server.properties');
  writeProperties(properties, options, ports, data);

  const common = [
    `-Dlethe.logs=${logs}`,
    `-Dlog4j2.configurationFile=${DEFINITION}kafka-log4j2.yaml`,
    '-cp',
    `${jars}/*`,
  ];
  if (!existsSync(join(data, 'meta.properties'))) format(java, common, properties, options);
  const heap = version('KAFKA_HEAP');
  const brokers = [`127.0.0.1:${ports.client}`];
  const admin = kafkaAdmin(brokers, options.admin);
  const daemon = await startDaemon({
    name: 'kafka',
    command: java,
    args: [
      `-Xmx${heap}`,
      `-Xms${heap}`,
      '-XX:+UseSerialGC',
      ...compiler(options.shortLived),
      ...common,
      'kafka.Kafka',
      properties,
    ],
    cwd: options.dir,
    logFile: join(logs, 'start.log'),
    launched: options.launched,
    environment: options.environment,
    readyWithinMs: 180_000,
    stopSignal: 'SIGTERM',
    ready: async () => (await admin((client) => client.describeCluster())).brokers.length === 1,
  });
  return Object.assign(daemon, { brokers, dataDir: data, logDir: logs });
}

function writeProperties(
  file: string,
  options: KafkaOptions,
  ports: { client: number; controller: number },
  data: string,
): void {
  const { username, password } = options.admin;
  const login = `username="${username}" password="${password}"`;
  const modules = 'org.apache.kafka.common.security';
  const own = {
    listeners: `CLIENT://127.0.0.1:${ports.client},CONTROLLER://127.0.0.1:${ports.controller}`,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'log.dirs': data,
    'listener.name.client.scram-sha-512.sasl.jaas.config': `${modules}.scram.ScramLoginModule required ${login};`,
    'listener.name.controller.plain.sasl.jaas.config': `${modules}.plain.PlainLoginModule required ${login} user_${username}="${password}";`,
    ...options.settings,
  };
  const lines = Object.entries(own).map(([name, value]) => `${name}=${value}`);
  // The later of two equal keys counts, so ours go last. The file holds a password.
  writeFileSync(file, `${definitionFile('kafka.properties')}\n${lines.join('\n')}\n`, { mode: 0o600 });
  const user = storeUser();
  if (user) chownSync(file, user.uid, user.gid);
}

function format(java: string, common: readonly string[], properties: string, options: KafkaOptions): void {
  const scram = [options.admin, ...options.users].flatMap(({ username, password }) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${username},iterations=4096,password=${password}]`,
  ]);
  // A leading hyphen would be read as an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'L');
  const jvm = ['-Xmx64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...common];
  const call = asStoreUser(java, [
    ...jvm,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    properties,
    ...scram,
  ]);
  const result = spawnSync(call.command, call.args, { ...call.options, encoding: 'utf8', cwd: options.dir });
  if (result.status !== 0) {
    const words = `${result.stdout}${result.stderr}`.trim().split('\n').slice(-5).join('\n');
    throw new Error(`Kafka's folder ${options.dir} could not be prepared:\n${words}`);
  }
}
