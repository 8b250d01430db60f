import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { asStoreUser } from './run-as.ts';
import { descendantsOf, isRunning, processIdentity, signal } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { until } from './until.ts';

export type Launched = (identity: ProcessIdentity) => void;

export interface DaemonPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Added to `env`, such as a moved clock. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly cwd: string;
  /** Receives standard output and error. Started anew when over 10 MB, the former kept as `.previous`. */
  readonly logFile: string;
  readonly readyWithinMs: number;
  readonly stopSignal: NodeJS.Signals;
  /** Where the store is not the process started here but one that it starts. */
  readonly servedByChild?: boolean;
  /** Told of every process as it is started, before it is ready. */
  readonly launched?: Launched | undefined;
  /** Asked until it answers true. */
  ready(): Promise<boolean>;
}

/** A store's process: it can be stopped, killed and started again on the same data and ports. */
export interface Daemon {
  readonly name: string;
  /** Of the process that serves, as started last. */
  readonly pid: number;
  /** That process and those it started (Elasticsearch's launcher has the server as its child). */
  identities(): ProcessIdentity[];
  running(): boolean;
  /** Ends it in its own way; SIGKILL after 30 s. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would be; returns when it is gone. */
  kill9(): Promise<void>;
  /** Starts it again (stopping it first if it runs) and waits until it is ready. */
  restart(): Promise<void>;
}

const LOG_LIMIT = 10 * 1024 * 1024;

/** Starts the process and waits until it is ready. */
export async function startDaemon(plan: DaemonPlan): Promise<Daemon> {
  let current = await launch(plan);
  const family = () =>
    [current.pid, ...descendantsOf(current.pid)]
      .map((pid) => processIdentity(pid, plan.name))
      .filter((identity) => identity !== null);
  const end = async (name: NodeJS.Signals, withinMs: number) => {
    const members = family();
    const gone = () => members.every((member) => !isRunning(member));
    // Children first on SIGKILL, which a parent cannot pass on.
    for (const member of name === 'SIGKILL' ? members.toReversed() : members.slice(0, 1)) signal(member, name);
    if (await until(gone, withinMs, 20)) return;
    for (const member of members) signal(member, 'SIGKILL');
    await until(gone, 5_000, 20);
  };
  return {
    name: plan.name,
    get pid() {
      return (plan.servedByChild && descendantsOf(current.pid)[0]) || current.pid;
    },
    identities: family,
    running: () => isRunning(current),
    stop: () => end(plan.stopSignal, 30_000),
    kill9: () => end('SIGKILL', 5_000),
    restart: async () => {
      await end(plan.stopSignal, 30_000);
      current = await launch(plan);
    },
  };
}

async function launch(plan: DaemonPlan): Promise<ProcessIdentity> {
  const deadline = performance.now() + plan.readyWithinMs;
  for (;;) {
    const started = await spawnLogged(plan);
    plan.launched?.(started);
    const left = deadline - performance.now();
    let ready = false;
    await until(async () => !isRunning(started) || (ready = await plan.ready()), left, 100);
    if (ready && isRunning(started)) return started;
    const died = !isRunning(started);
    // After a kill -9 PostgreSQL's orphaned back ends hold its shared memory, and its lock file its former process, for a moment.
    const held = /shared memory block|lock file "postmaster\.pid" already exists/.test(lastLines(plan.logFile, 3));
    if (died && held && performance.now() < deadline) continue;
    signal(started, 'SIGKILL');
    throw new Error(
      `${plan.name} ${died ? 'ended while starting' : `was not ready after ${plan.readyWithinMs / 1000} s`}. ` +
        `Its log (${plan.logFile}) ends:\n${lastLines(plan.logFile, 12)}`,
    );
  }
}

async function spawnLogged(plan: DaemonPlan): Promise<ProcessIdentity> {
  if (existsSync(plan.logFile) && statSync(plan.logFile).size > LOG_LIMIT)
    renameSync(plan.logFile, `${plan.logFile}.previous`);
  const log = openSync(plan.logFile, 'a', 0o600);
  // Set behind the change of user: what is preloaded must not have begun as root.
  const added = Object.entries(plan.environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const [program, programArgs] =
    added.length === 0 ? [plan.command, plan.args] : ['env', [...added, plan.command, ...plan.args]];
  const { command, args, options } = asStoreUser(program, programArgs, plan.stopSignal);
  try {
    // A session of its own: Ctrl-C in a terminal must not reach the stores before the services have drained.
    const child = spawn(command, args, {
      ...options,
      env: plan.env ?? { PATH: process.env.PATH },
      cwd: plan.cwd,
      stdio: ['ignore', log, log],
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(`${plan.name} cannot be started: ${error.message}`)));
    });
    child.unref();
    const { pid } = child;
    if (pid === undefined) throw new Error(`${plan.name} cannot be started.`);
    return processIdentity(pid, plan.name) ?? { name: plan.name, pid, startedAt: 'ended' };
  } finally {
    closeSync(log);
  }
}

function lastLines(file: string, count: number): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}
