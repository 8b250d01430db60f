import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { until } from './until.ts';

/** A process that cannot be mistaken for a later one with the same number: pid and start time in clock ticks since boot. */
export interface ProcessIdentity {
  readonly name: string;
  readonly pid: number;
  readonly startedAt: string;
}

/** @returns the start time of `pid` (field 22 of /proc/<pid>/stat), or null when there is no such running process. */
export function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name (field 2) may hold spaces and brackets, so count from the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    return state === 'Z' || state === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

export function processIdentity(pid: number, name = 'process'): ProcessIdentity | null {
  const startedAt = startTime(pid);
  return startedAt === null ? null : { name, pid, startedAt };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return startTime(identity.pid) === identity.startedAt;
}

/** Pids of all processes below `pid`. The kernel lists children by the thread that started them. */
export function descendantsOf(pid: number): number[] {
  try {
    const direct = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      (readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').match(/\d+/g) ?? []).map(Number),
    );
    return direct.flatMap((child) => [child, ...descendantsOf(child)]);
  } catch {
    return [];
  }
}

/** Writes what is running to `file`, for `endLeftovers` of the next start. */
export function recordProcesses(file: string, identities: readonly ProcessIdentity[]): void {
  writeFileSync(file, JSON.stringify(identities), { mode: 0o600 });
}

/**
 * Ends exactly the processes recorded in `file` that still run (same pid and same start time), gently for `graceMs`, then with
 * SIGKILL, and removes the file.
 * @returns the names of what was ended.
 */
export async function endLeftovers(file: string, graceMs = 10_000): Promise<string[]> {
  let recorded: ProcessIdentity[];
  try {
    recorded = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity[];
  } catch {
    return [];
  }
  const left = recorded.filter(isRunning).flatMap((identity) => [identity, ...below(identity)]);
  for (const identity of left) signal(identity, 'SIGTERM');
  const gone = () => left.every((identity) => !isRunning(identity));
  if (!(await until(gone, graceMs))) {
    for (const identity of left) signal(identity, 'SIGKILL');
    await until(gone, 5_000);
  }
  rmSync(file, { force: true });
  return [...new Set(left.map((identity) => identity.name))];
}

function below({ name, pid }: ProcessIdentity): ProcessIdentity[] {
  return descendantsOf(pid)
    .map((child) => processIdentity(child, name))
    .filter((identity) => identity !== null);
}

export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
    // Ended in between: what was wanted.
  }
}
