import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elasticsearchHome } from './cache.ts';
import type { Progress } from './cache.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon, Launched } from './daemon.ts';
import { definitionFile, version } from './definition.ts';
import { compiler, findJava } from './java.ts';
import { freePorts, requireFree } from './ports.ts';
import { ownFolder, ownTree } from './run-as.ts';

export interface ElasticsearchOptions {
  /** Holds `data`, `logs`, `config`, `tmp`; kept between starts. */
  readonly dir: string;
  /** Free ones are taken if not given. */
  readonly ports?: { readonly http: number; readonly transport: number };
  /** Settings over deploy/stores/elasticsearch.yml. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly progress?: Progress;
  readonly launched?: Launched;
  /** Variables of the process, besides those it needs. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly shortLived?: boolean | undefined;
}

export interface Elasticsearch extends Daemon {
  readonly url: string;
  readonly dataDir: string;
  readonly logDir: string;
}

/** Starts a real Elasticsearch on loopback, without users. */
export async function startElasticsearch(options: ElasticsearchOptions): Promise<Elasticsearch> {
  const java = findJava();
  const home = await elasticsearchHome(options.progress ?? (() => {}));
  const ports = options.ports ?? (await freePorts('http', 'transport'));
  await requireFree(ports.http, 'Elasticsearch');
  await requireFree(ports.transport, 'Elasticsearch between nodes');
  const folder = (name: string) => join(options.dir, name);
  for (const path of [options.dir, ...['data', 'logs', 'tmp', 'config'].map(folder)]) ownFolder(path);
  writeConfig(home, folder('config'), {
    'path.data': folder('data'),
    'path.logs': folder('logs'),
    'network.host': '127.0.0.1',
    'http.port': String(ports.http),
    'transport.port': String(ports.transport),
    ...options.settings,
  });
  const url = `http://127.0.0.1:${ports.http}`;
  const launcherOptions = ['-Xms4m', '-Xmx64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const daemon = await startDaemon({
    name: 'elasticsearch',
    // The carrier's Elasticsearch comes without its Linux start script; this is what that script does.
    command: join(java, 'bin/java'),
    args: [
      ...launcherOptions,
      '-cp',
      `${home}/lib/tools/server-launcher/*`,
      'org.elasticsearch.server.launcher.ServerLauncher',
    ],
    env: {
      PATH: process.env.PATH,
      JAVA: join(java, 'bin/java'),
      JAVA_TYPE: 'ES_JAVA_HOME',
      ES_JAVA_HOME: java,
      ES_HOME: home,
      ES_PATH_CONF: folder('config'),
      ES_TMPDIR: folder('tmp'),
      ES_JAVA_OPTS: compiler(options.shortLived).join(' '),
      ES_DISTRIBUTION_TYPE: 'tar',
      CLI_JAVA_OPTS: launcherOptions.join(' '),
    },
    cwd: home,
    logFile: join(folder('logs'), 'start.log'),
    servedByChild: true,
    launched: options.launched,
    environment: options.environment,
    readyWithinMs: 240_000,
    stopSignal: 'SIGTERM',
    ready: async () => {
      const answer = await fetch(`${url}/_cluster/health`, { signal: AbortSignal.timeout(2_000) });
      const { status } = (await answer.json()) as { status?: string };
      return answer.ok && status !== 'red';
    },
  });
  return Object.assign(daemon, { url, dataDir: folder('data'), logDir: folder('logs') });
}

function writeConfig(home: string, config: string, settings: Readonly<Record<string, string>>): void {
  for (const name of readdirSync(join(home, 'config'))) copyFileSync(join(home, 'config', name), join(config, name));
  const overridden = new Set(Object.keys(settings));
  const shared = definitionFile('elasticsearch.yml')
    .split('\n')
    .filter((line) => !overridden.has(line.split(':', 1)[0] ?? ''));
  const own = Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  writeFileSync(join(config, 'elasticsearch.yml'), [...shared, ...own, ''].join('\n'));
  mkdirSync(join(config, 'jvm.options.d'), { recursive: true });
  const heap = version('ELASTICSEARCH_HEAP');
  const memory = `-Xms${heap}\n-Xmx${heap}\n`;
  writeFileSync(join(config, 'jvm.options.d/lethe.options'), memory + definitionFile('elasticsearch.options'));
  ownTree(config);
}
