import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, processIdentity, REPOSITORY, requireFree, until, type ProcessIdentity } from '@lethe/testing';

/** Fields of `running.json`; see tools/dev/running-file.ts. */
export interface RunningJson {
  gateway: string | null;
  apiKey: string | null;
  operatorToken: string | null;
  domain: string | null;
  kafka: { brokers: string[] } | null;
  elasticsearch: string | null;
  world: { http: string; dns: string; domain: string } | null;
  data: string[];
  logs: string[];
  pids: Record<string, number>;
  [field: string]: unknown;
}

const PORTS_USED = 31;

/** First of a row of free ports, as LETHE_PORT wants it. */
export async function freeRow(): Promise<number> {
  for (;;) {
    const { base } = await freePorts('base');
    const row = Array.from({ length: PORTS_USED }, (_, index) => requireFree(base + index, 'test'));
    if (base < 30_000 && (await Promise.allSettled(row)).every(({ status }) => status === 'fulfilled')) return base;
  }
}

/** One `npm start` in a process group of its own, as a terminal would have it. */
export class NpmStart {
  readonly file: string;
  readonly port: number;
  private text = '';
  private readonly child;
  private exitCode: number | null | undefined;

  constructor(data: string, port: number, args: readonly string[] = [], script: 'start' | 'reset' = 'start') {
    this.file = join(data, 'running.json');
    this.port = port;
    this.child = spawn('npm', ['run', '--silent', script, '--', ...args], {
      cwd: REPOSITORY,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LETHE_DATA: data, LETHE_PORT: String(port), LETHE_ENGINE: 'native' },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    }
    this.child.once('close', (code) => (this.exitCode = code));
  }

  /** All it has printed, in order. */
  get output(): string {
    return this.text;
  }

  get running(): RunningJson {
    return JSON.parse(readFileSync(this.file, 'utf8')) as RunningJson;
  }

  get mode(): string {
    return (statSync(this.file).mode & 0o777).toString(8);
  }

  /** Start times included, so that a later process of the same number is not taken for it. */
  identities(): ProcessIdentity[] {
    return Object.entries(this.running.pids).map(([name, pid]) => {
      const identity = processIdentity(pid, name);
      if (!identity) throw new Error(`running.json names ${name}, which does not run`);
      return identity;
    });
  }

  /** Waits until it has printed `words`; fails with all it has printed. */
  async says(words: string | RegExp, withinMs = 170_000): Promise<void> {
    const said = (): boolean => (typeof words === 'string' ? this.text.includes(words) : words.test(this.text));
    await until(() => said() || this.exitCode !== undefined, withinMs, 50);
    if (!said()) throw new Error(`it did not say ${String(words)}, but:\n${this.text}`);
  }

  /** Seconds after its start, by the time it printed. */
  secondsOf(words: string): number {
    return Number(new RegExp(`([\\d.]+) s  ${words}`).exec(this.text)?.[1] ?? Number.NaN);
  }

  /** To every process of its group, as Ctrl-C does. */
  signalGroup(name: NodeJS.Signals): void {
    if (this.child.pid !== undefined && this.exitCode === undefined) process.kill(-this.child.pid, name);
  }

  /** @returns the exit code; null where a signal ended npm itself. */
  async ended(withinMs = 60_000): Promise<number | null> {
    if (!(await until(() => this.exitCode !== undefined, withinMs, 50)))
      throw new Error(`it did not end:\n${this.text}`);
    return this.exitCode ?? null;
  }
}
