import { spawn, type ChildProcess } from 'node:child_process';
import { processIdentity, signal, type ProcessIdentity } from '../stores/processes.ts';
import { until } from '../stores/until.ts';
import { RotatingLog } from './rotating-log.ts';

export interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Readiness: answers 2xx when the process can do its work. */
  readonly readyUrl: string;
}

/** What a person at the terminal is told. */
export type Says = (line: string) => void;

const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 15_000;
const STABLE_MS = 30_000;

/**
 * A process that is started again when it dies, with growing back-off, as Kubernetes would. `kill9` and `restart` are for
 * tests that break things.
 */
export class Supervised {
  private child: ChildProcess | null = null;
  private stopping = false;
  private held = false;
  private backOffMs = FIRST_BACK_OFF_MS;
  private startedAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastLines = '';
  private readonly log: RotatingLog;
  identity: ProcessIdentity | null = null;
  restarts = 0;

  readonly command: Command;
  private readonly says: Says;
  private readonly changed: () => void;

  constructor(command: Command, says: Says, changed: () => void) {
    this.command = command;
    this.says = says;
    this.changed = changed;
    this.log = new RotatingLog(command.logFile);
  }

  start(): void {
    const { args, cwd, env } = this.command;
    this.held = false;
    this.startedAt = performance.now();
    // A session of its own: Ctrl-C must reach the one who stops all in order, not everyone at once.
    const child = spawn(process.execPath, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.child = child;
    this.identity = child.pid === undefined ? null : processIdentity(child.pid, this.command.name);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => this.keep(chunk));
    child.once('error', () => this.died(child, 'could not be started'));
    child.once('exit', (code, killedBy) =>
      this.died(child, killedBy ? `was ended by ${killedBy}` : `ended with code ${code}`),
    );
    this.changed();
  }

  get pid(): number | null {
    return this.identity?.pid ?? null;
  }

  async ready(timeoutMs: number): Promise<void> {
    let lastAnswer = 'none';
    const answers = async (): Promise<boolean> => {
      const response = await fetch(this.command.readyUrl, { signal: AbortSignal.timeout(2_000) });
      lastAnswer = await response.text();
      return response.ok;
    };
    if (await until(answers, timeoutMs, 100)) return;
    throw new Error(
      `${this.command.name} was not ready after ${timeoutMs / 1_000} s, its last answer: ${lastAnswer}. ` +
        `Its log: ${this.command.logFile}\n${this.tail()}`,
    );
  }

  /** Dies at once; started again by itself unless `hold`. */
  kill9(options: { hold?: boolean } = {}): void {
    this.held = options.hold ?? false;
    if (this.identity) signal(this.identity, 'SIGKILL');
  }

  async stop(graceMs = 15_000): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    const { identity } = this;
    if (!identity) return;
    signal(identity, 'SIGTERM');
    if (await until(() => this.child === null, graceMs, 20)) return;
    signal(identity, 'SIGKILL');
    await until(() => this.child === null, 5_000, 20);
  }

  /** The last lines of its log, for an error message. */
  tail(): string {
    return this.lastLines.split('\n').slice(-12).join('\n');
  }

  private keep(chunk: Buffer): void {
    this.log.write(chunk);
    this.lastLines = (this.lastLines + chunk.toString('utf8')).slice(-4_000);
  }

  private died(child: ChildProcess, how: string): void {
    if (this.child !== child) return;
    this.child = null;
    this.identity = null;
    if (this.stopping) return this.changed();
    if (performance.now() - this.startedAt > STABLE_MS) this.backOffMs = FIRST_BACK_OFF_MS;
    if (this.held) this.says(`${this.command.name} ${how}`);
    else {
      this.says(`${this.command.name} ${how}; started again in ${(this.backOffMs / 1_000).toFixed(1)} s`);
      this.timer = setTimeout(() => {
        this.restarts += 1;
        this.start();
      }, this.backOffMs);
      this.backOffMs = Math.min(this.backOffMs * 2, LONGEST_BACK_OFF_MS);
    }
    this.changed();
  }
}
